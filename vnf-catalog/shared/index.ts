/** What the IoT functions of the catalogue share: their process frame, bindings, broker link, metrics and the words of oneM2M. */
export {
  parseBindings,
  requiredService,
  type BrokerClient,
  type Endpoint,
  type FunctionBindings,
  type RequiredService,
} from './bindings.ts';
export { BrokerLink, type RequestOptions } from './broker-link.ts';
export { readConfig, type ConfigReader } from './config.ts';
export { McaClient, type McaAnswer, type McaRequest } from './mca-client.ts';
export { createMetrics, type Counter, type Histogram, type MetricsRegistry } from './metrics.ts';
export { createProcessLog, type ProcessLog } from './process-log.ts';
export { runFunction, type FunctionContext, type RunningFunction } from './function-process.ts';
export { matchesPattern } from './name-pattern.ts';
export { startOutsideProgram, type OutsideProgram, type OutsideProgramOptions } from './outside-program.ts';
export { nkeyPublicFromSeed, signWithSeed } from './nkey.ts';
export {
  OPERATION,
  RESOURCE_TYPE,
  RSC,
  httpStatusOf,
  memberNameOf,
  resourceTypeOfMember,
  type FilterCriteria,
  type RequestPrimitive,
  type ResourceAttributes,
  type ResponsePrimitive,
} from './primitive.ts';
export { SUBJECT, inboxPrefixOf } from './subjects.ts';
export type * from './storage-protocol.ts';
export type * from './notification-protocol.ts';
