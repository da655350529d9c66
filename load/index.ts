/** Load as real devices make it: demand curves, played open loop as simulated devices that speak oneM2M over HTTP. */
export { GENERATED, generateTrace, type GeneratedName } from './generate-trace.ts';
export { parseTrace } from './parse-trace.ts';
export { readTrace } from './read-trace.ts';
export { renderTrace } from './render-trace.ts';
export {
  planArrivals,
  planPlay,
  rateAt,
  type Arrival,
  type PlayPlan,
  type PlayTerms,
} from './plan-arrivals.ts';
export { DeviceClient, type DeviceClientOptions } from './device-client.ts';
export { playLoad, type PlayOptions } from './play-load.ts';
export { prepareDevices, removeDevices, type DevicesOptions } from './devices.ts';
export type { LoadResult, LatencyFigures, ProgressFigures, TimelineEntry } from './figures.ts';
export type { Trace, TracePoint } from './trace.ts';
