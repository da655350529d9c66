/** The client side of Mco over NATS, behind the same transport as HTTP. Loaded only where it is used. */
export { createNatsTransport, type NatsTransportOptions } from './nats-transport.ts';
export { openHostUsers, type HostUsers } from './host-user.ts';
export { parseNatsServers, type NatsServers } from './nats-servers.ts';
