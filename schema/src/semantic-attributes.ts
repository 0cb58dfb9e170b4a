// Official keys that audit events use, copied since most are not stable: from semantic-conventions 1.45.0.
// Runtime code never imports the incubating entry point.

/** Id of the record; a UUIDv7 from our emitter, any string of at most 512 bytes. */
export const ATTR_LOG_RECORD_UID = "log.record.uid";

/** Low-cardinality class of a failure or error, e.g. `403`, `timeout`. */
export const ATTR_ERROR_TYPE = "error.type";

/** Human on whose behalf the agent acts. */
export const ATTR_USER_ID = "user.id";

/** Name of the human. */
export const ATTR_USER_NAME = "user.name";

/** Email of the human. */
export const ATTR_USER_EMAIL = "user.email";

/** Emitting service; resource attribute. */
export const ATTR_SERVICE_NAME = "service.name";

/** Version of the emitting service; resource attribute. */
export const ATTR_SERVICE_VERSION = "service.version";

/** Emitting process; resource attribute. */
export const ATTR_SERVICE_INSTANCE_ID = "service.instance.id";

/** Emitting host; resource attribute. */
export const ATTR_HOST_NAME = "host.name";

/** HTTP method. */
export const ATTR_HTTP_REQUEST_METHOD = "http.request.method";

/** HTTP status; int. */
export const ATTR_HTTP_RESPONSE_STATUS_CODE = "http.response.status_code";

/** Request body in bytes; int. */
export const ATTR_HTTP_REQUEST_BODY_SIZE = "http.request.body.size";

/** Response body in bytes; int. */
export const ATTR_HTTP_RESPONSE_BODY_SIZE = "http.response.body.size";

/** Whole request in bytes; int. */
export const ATTR_HTTP_REQUEST_SIZE = "http.request.size";

/** Whole response in bytes; int. */
export const ATTR_HTTP_RESPONSE_SIZE = "http.response.size";

/** Redacted URL. */
export const ATTR_URL_FULL = "url.full";

/** URL scheme. */
export const ATTR_URL_SCHEME = "url.scheme";

/** URL path. */
export const ATTR_URL_PATH = "url.path";

/** Redacted URL query. */
export const ATTR_URL_QUERY = "url.query";

/** User-Agent header. */
export const ATTR_USER_AGENT_ORIGINAL = "user_agent.original";

/** Host that the client asked for. */
export const ATTR_SERVER_ADDRESS = "server.address";

/** Port that the client asked for; int. */
export const ATTR_SERVER_PORT = "server.port";

/** Address of the client. */
export const ATTR_CLIENT_ADDRESS = "client.address";

/** Resolved IP of the destination. */
export const ATTR_NETWORK_PEER_ADDRESS = "network.peer.address";

/** `pipe` or `tcp`. */
export const ATTR_NETWORK_TRANSPORT = "network.transport";

/** Name of the executable. */
export const ATTR_PROCESS_EXECUTABLE_NAME = "process.executable.name";

/** Arguments, the command first; string[]. */
export const ATTR_PROCESS_COMMAND_ARGS = "process.command_args";

/** Command line as it was given, never assembled. */
export const ATTR_PROCESS_COMMAND_LINE = "process.command_line";

/** Exit code; int. */
export const ATTR_PROCESS_EXIT_CODE = "process.exit.code";

/** Process id; int. */
export const ATTR_PROCESS_PID = "process.pid";

/** Working directory. */
export const ATTR_PROCESS_WORKING_DIRECTORY = "process.working_directory";

/** User that the process runs as. */
export const ATTR_PROCESS_USER_NAME = "process.user.name";

/** Container id. */
export const ATTR_CONTAINER_ID = "container.id";

/** Container name. */
export const ATTR_CONTAINER_NAME = "container.name";

/** Image name. */
export const ATTR_CONTAINER_IMAGE_NAME = "container.image.name";

/** Image tags; string[]. */
export const ATTR_CONTAINER_IMAGE_TAGS = "container.image.tags";

/** Container runtime. */
export const ATTR_CONTAINER_RUNTIME_NAME = "container.runtime.name";

/** Path of the file. */
export const ATTR_FILE_PATH = "file.path";

/** Size in bytes; int. */
export const ATTR_FILE_SIZE = "file.size";

/** Mode in octal. */
export const ATTR_FILE_MODE = "file.mode";

/** Name of the cluster. */
export const ATTR_K8S_CLUSTER_NAME = "k8s.cluster.name";

/** Namespace. */
export const ATTR_K8S_NAMESPACE_NAME = "k8s.namespace.name";

/** Pod; one of the `k8s.<kind>.name` keys. */
export const ATTR_K8S_POD_NAME = "k8s.pod.name";

/** RPC system, e.g. `aws-api`. */
export const ATTR_RPC_SYSTEM_NAME = "rpc.system.name";

/** RPC method, e.g. `S3/GetObject`. */
export const ATTR_RPC_METHOD = "rpc.method";

/** RPC or JSON-RPC status; string. */
export const ATTR_RPC_STATUS_CODE = "rpc.status_code";

/** Cloud provider. */
export const ATTR_CLOUD_PROVIDER = "cloud.provider";

/** Cloud region. */
export const ATTR_CLOUD_REGION = "cloud.region";

/** Cloud account. */
export const ATTR_CLOUD_ACCOUNT_ID = "cloud.account.id";

/** Provider's id of the resource, e.g. an ARN. */
export const ATTR_CLOUD_RESOURCE_ID = "cloud.resource_id";

/** Request id that AWS answered with. */
export const ATTR_AWS_REQUEST_ID = "aws.request_id";

/** S3 bucket. */
export const ATTR_AWS_S3_BUCKET = "aws.s3.bucket";

/** S3 key. */
export const ATTR_AWS_S3_KEY = "aws.s3.key";

/** DynamoDB tables; string[]. */
export const ATTR_AWS_DYNAMODB_TABLE_NAMES = "aws.dynamodb.table_names";
