/** What every room may lean on, and nothing more: errors, ids, transitions, clock, quantities, chance, log, turns, how NATS names keys, and what an agent's program says of itself. */
export {
  ERROR_TABLE,
  IotmanoError,
  isTransient,
  messageOf,
  unreachable,
  type ErrorCode,
  type ErrorContext,
  type ErrorKind,
} from './errors.ts';
export {
  DEFAULT_TENANT,
  IOTMANO_NAMESPACE,
  SYSTEM_TENANT,
  isId,
  parseId,
  randomIds,
  uuidV5,
  type Branded,
  type HostId,
  type IdSource,
  type LcmOpOccId,
  type NsInstanceId,
  type NsdInfoId,
  type StateId,
  type TenantId,
  type VimId,
  type VnfInstanceId,
  type VnfPkgId,
  type VnfcInstanceId,
} from './ids.ts';
export { canTransition, transition, type TransitionTable } from './transition.ts';
export { systemClock, toTimestamp, type Clock } from './clock.ts';
export { parseBitsPerSecond, parseBytes, parseCpuMillis, parseSeconds } from './quantities.ts';
export { createRandom } from './random.ts';
export { createTurns } from './turns.ts';
export { createKeyedQueue } from './keyed-queue.ts';
export { ed25519KeyOfSeed } from './ed25519-key.ts';
export {
  AGENT_PROGRAM_HEAD_BYTES,
  parseAgentProgram,
  renderAgentProgram,
  type AgentProgram,
} from './agent-program.ts';
export { nkeyName } from './nkey-name.ts';
export { createLogger, silentLogger, type LogLevel, type Logger } from './log.ts';
