import { checkConfig, unknownName, type ScalingAspect } from '../../descriptors/index.ts';
import { choose, functionNamed, seconds, serviceNamed, type Building } from './building.ts';
import { readCurve } from './read-curve.ts';
import type { RawEvent } from './raw-scenario.ts';
import type { ScenarioEvent, ScenarioFunction } from './types.ts';

type RawOf<Type extends RawEvent['type']> = Extract<RawEvent, { readonly type: Type }>;

/** One event, or none where something in it is wrong. */
export function buildEvent(building: Building, raw: RawEvent, pointer: string): readonly ScenarioEvent[] {
  const scheduled = {
    atSeconds: seconds(raw.at ?? '0s'),
    everySeconds: raw.every === undefined ? 0 : seconds(raw.every),
    times: raw.times ?? 1,
  };
  if (scheduled.times > 1 && scheduled.everySeconds <= 0)
    building.found({
      rule: 'no-interval',
      pointer: `${pointer}/times`,
      message: `the event happens ${scheduled.times} times, and nothing says how often`,
      remedy: 'add `every`, e.g. `every: 10m`, or leave `times` out',
    });
  const what = buildWhat(building, raw, pointer);
  return what === undefined ? [] : [{ ...scheduled, ...what } as ScenarioEvent];
}

function buildWhat(building: Building, raw: RawEvent, pointer: string): object | undefined {
  switch (raw.type) {
    case 'deploy':
      return buildDeploy(building, raw, pointer);
    case 'burst':
      return buildBurst(building, raw, pointer);
    case 'terminate':
      return functionNamed(building, raw.function, pointer) && { ...raw, count: raw.count ?? 1 };
    case 'scale': {
      const aspect = aspectOf(building, raw, pointer);
      if (aspect === undefined) return undefined;
      requireWithin(building, aspect, raw.to, `${pointer}/to`);
      return { ...raw, aspect: aspect.aspect };
    }
    case 'follow': {
      const aspect = aspectOf(building, raw, pointer);
      if (aspect === undefined) return undefined;
      const curve = readCurve(building, { ...raw, aspect }, pointer);
      return { type: raw.type, function: raw.function, aspect: aspect.aspect, curve };
    }
    case 'deployService':
    case 'burstService':
      return buildArrival(building, raw, pointer);
    case 'terminateService':
      return (
        serviceNamed(building, raw.service, pointer) && {
          type: raw.type,
          service: raw.service,
          count: raw.count ?? 1,
        }
      );
    default:
      return buildHostEvent(building, raw, pointer);
  }
}

function buildHostEvent(
  building: Building,
  raw: RawOf<'fail' | 'return' | 'drain'>,
  pointer: string,
): object | undefined {
  const hosts = choose(building, raw.hosts, `${pointer}/hosts`);
  if (hosts === undefined) return undefined;
  if (raw.type === 'return') return { type: raw.type, hosts, withinSeconds: seconds(raw.within ?? '0s') };
  const shared = {
    hosts,
    share: raw.share ?? 1,
    forSeconds: raw.for === undefined ? Infinity : seconds(raw.for),
  };
  if (raw.type === 'drain') return { type: raw.type, ...shared, inTurn: raw.inTurn ?? false };
  const returnWithinSeconds = seconds(raw.returnWithin ?? '0s');
  const { kind = 'network', wholeZones = false } = raw;
  return { type: raw.type, ...shared, wholeZones, kind, returnWithinSeconds };
}

function buildDeploy(building: Building, raw: RawOf<'deploy'>, pointer: string): object | undefined {
  const known = functionNamed(building, raw.function, pointer);
  const coverage =
    raw.coverage === undefined ? undefined : choose(building, raw.coverage, `${pointer}/coverage`);
  if (known !== undefined) requireLevel(building, known, raw.level, pointer);
  const base = {
    type: raw.type,
    function: raw.function,
    count: raw.count ?? 1,
    perZone: raw.perZone ?? false,
  };
  return {
    ...base,
    ...(raw.level === undefined ? {} : { level: raw.level }),
    ...(coverage === undefined ? {} : { coverage }),
  };
}

function buildBurst(building: Building, raw: RawOf<'burst'>, pointer: string): object | undefined {
  const known = functionNamed(building, raw.function, pointer);
  if (known === undefined) return undefined;
  requireLevel(building, known, raw.level, pointer);
  return {
    type: raw.type,
    function: raw.function,
    count: raw.count ?? 1,
    ...(raw.level === undefined ? {} : { level: raw.level }),
    forSeconds: seconds(raw.for),
    staysSeconds: seconds(raw.stays),
  };
}

function buildArrival(
  building: Building,
  raw: RawOf<'deployService' | 'burstService'>,
  pointer: string,
): object | undefined {
  const known = serviceNamed(building, raw.service, pointer);
  if (known === undefined) return undefined;
  const { service, count = 1, parameters = {} } = raw;
  for (const fault of checkConfig(known.descriptor.parameters, parameters).faults)
    building.found({
      rule: fault.rule,
      pointer: `${pointer}/parameters${fault.pointer}`,
      message: fault.message,
      remedy: fault.remedy,
    });
  const arrival = { type: raw.type, service, count, parameters };
  return raw.type === 'deployService'
    ? arrival
    : { ...arrival, forSeconds: seconds(raw.for), staysSeconds: seconds(raw.stays) };
}

function requireLevel(
  { found }: Building,
  { descriptor }: ScenarioFunction,
  level: string | undefined,
  pointer: string,
): void {
  const levels = descriptor.flavours[0]?.levels.map(({ name }) => name) ?? [];
  if (level !== undefined && !levels.includes(level))
    found({
      rule: 'unknown-level',
      pointer: `${pointer}/level`,
      ...unknownName(level, levels, `a level of ${descriptor.metadata.productName}`),
    });
}

function aspectOf(
  building: Building,
  raw: RawOf<'scale' | 'follow'>,
  pointer: string,
): ScalingAspect | undefined {
  const descriptor = functionNamed(building, raw.function, pointer)?.descriptor;
  if (descriptor === undefined) return undefined;
  const aspect = descriptor.scaling.find(({ aspect: name }) => name === (raw.aspect ?? name));
  if (aspect === undefined)
    building.found({
      rule: 'unknown-aspect',
      pointer: raw.aspect === undefined ? `${pointer}/function` : `${pointer}/aspect`,
      ...unknownName(
        raw.aspect ?? raw.function,
        descriptor.scaling.map(({ aspect: name }) => name),
        `something that can be scaled of ${descriptor.metadata.productName}`,
      ),
    });
  return aspect;
}

function requireWithin(
  { found }: Building,
  { aspect, min, max }: ScalingAspect,
  steps: number,
  pointer: string,
): void {
  if (steps < min || steps > max)
    found({
      rule: 'beyond-aspect',
      pointer,
      message: `${steps} steps are beyond the aspect ${aspect}`,
      remedy: `it goes from ${min} to ${max}`,
    });
}
