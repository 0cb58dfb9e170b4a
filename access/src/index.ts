export { type Access, authenticate, authenticateLocal, WWW_AUTHENTICATE } from "./authenticate.js";
export { listenerConfig, type TlsConfig } from "./config.js";
export {
  type HttpServer,
  type ListenerOptions,
  listen,
  makeHttpServer,
  urlOf,
} from "./http-listener.js";
export { KeyRing, KeySet } from "./key-ring.js";
export {
  addKey,
  type Key,
  keyFile,
  makeKey,
  type NewKey,
  type PublicKey,
  publicKey,
  readKeys,
  revokeKey,
  SCOPES,
  type Scope,
} from "./keys.js";
export {
  checkExposure,
  type ListenAddress,
  type Protection,
  parseListenAddress,
} from "./listen-address.js";
export { isLoopbackHost } from "./loopback.js";
export { RateLimits } from "./rate-limits.js";
export { checkTls } from "./tls-context.js";
