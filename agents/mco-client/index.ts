/** The client side of Mco: sessions, the operations, artifacts by digest. */
export {
  createMcoClient,
  type McoClient,
  type PostChunk,
  type StreamChunk,
  type WantedAnswer,
  type WantedQuestion,
} from './mco-client.ts';
export { createSessionKeeper, type SessionKeeper } from './session-keeper.ts';
export { createTransport, type ClientIdentity, type Transport, type TransportOptions } from './transport.ts';
export { chooseTransport, plainToken } from './open-transport.ts';
export { createBackoff, type Backoff } from './backoff.ts';
export { openArtifactCache } from './artifact-cache.ts';
export {
  assignment,
  collectionJob,
  diagnosticRequest,
  fence,
  sealedValues,
  upgradeOrder,
} from './messages.ts';
export type {
  Assignment,
  CollectionJob,
  DiagnosticRequest,
  SealedValues,
  Session,
  StreamReceipt,
  UpgradeOrder,
  Wanted,
} from './messages.ts';
export { list, object, integer, number, text, type Shape, type Shaped } from './shape.ts';
