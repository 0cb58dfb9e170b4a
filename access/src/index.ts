export { listenAddressText } from "./config.js";
export { foreignCaller } from "./host-rule.js";
export { listen, urlOf } from "./http-listener.js";
export { type ListenAddress, parseListenAddress } from "./listen-address.js";
