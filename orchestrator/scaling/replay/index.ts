/** Demand traces played against scaling policies, in no time and without a host. Pure. */
export { parseDemandTrace, peakOf, usualSpacing, type DemandTrace } from './demand-trace.ts';
export {
  REPLAY_INDICATOR,
  replay,
  type ReplayMoment,
  type ReplayOptions,
  type ReplayResult,
  type Replayed,
} from './replay.ts';
