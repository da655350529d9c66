import {
  IOTMANO_NAMESPACE,
  uuidV5,
  parseBitsPerSecond,
  parseBytes,
  parseCpuMillis,
  parseSeconds,
} from '../kernel/index.ts';
import type { Cursor } from './document/cursor.ts';
import { parseSecondsRange, parseShare } from './document/quantities.ts';
import type {
  Artifact,
  DescriptorUnit,
  IoTFunctionDescriptor,
  PlacementNear,
  Probe,
  ProbeAction,
  RunRule,
  RunSchedule,
  UnitVolume,
  UpgradeWave,
} from './types.ts';

/** The typed value of a document without faults, defaults applied by the schema. */
export function buildFunction(doc: Cursor): IoTFunctionDescriptor {
  const units = doc.each('units').map(buildUnit);
  const isSingle =
    doc.at('state', 'writers').text === 'single' ||
    units.some(({ volumes }) => volumes.some(({ keep }) => keep));
  return {
    kind: 'IoTFunctionDescriptor',
    metadata: buildMetadata(doc.at('metadata')),
    run: buildRun(doc.at('run')),
    state: { ...doc.at('state').as<IoTFunctionDescriptor['state']>(), writers: isSingle ? 'single' : 'many' },
    offline: buildOffline(doc.at('offline')),
    config: buildConfig(doc.at('config')),
    requires: doc
      .at('requires')
      .entries()
      .map(([name, at]) => buildRequirement(name, at)),
    provides: doc.at('provides').as(),
    units,
    flavours: doc.at('flavours').exists ? doc.at('flavours').as() : [defaultFlavour(units)],
    scaling: doc.at('scaling').as(),
    placement: buildPlacement(doc.at('placement')),
    healing: buildHealing(doc.at('healing')),
    upgrade: buildUpgrade(doc.at('upgrade'), isSingle || doc.at('run', 'mode').text === 'schedule'),
    alarms: doc.at('alarms').as(),
  };
}

function buildRequirement(name: string, at: Cursor): Requirement {
  const { bandwidth, ...rest } = at.as<Omit<Requirement, 'name'> & { readonly bandwidth?: string }>();
  const bitsPerSecond = parseBitsPerSecond(bandwidth);
  return { ...rest, name, ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }) };
}

type Requirement = IoTFunctionDescriptor['requires'][number];
type Spread = NonNullable<IoTFunctionDescriptor['placement']['spread']>[number];
type Metadata = IoTFunctionDescriptor['metadata'];

/** The vnfdId is the document's, or follows from provider, product and versions. */
function buildMetadata(at: Cursor): Metadata {
  const metadata = at.as<Omit<Metadata, 'id'> & { readonly id?: string }>();
  const { provider, productName, softwareVersion, descriptorVersion } = metadata;
  const name = JSON.stringify([provider, productName, softwareVersion, descriptorVersion]);
  return { ...metadata, id: metadata.id ?? uuidV5(IOTMANO_NAMESPACE, name) };
}

const START_WITHIN_SECONDS = 600;
const RUNS_TOLD = 3;

function buildRun(at: Cursor): RunRule {
  const mode = at.at('mode').as<RunRule['mode']>();
  if (mode !== 'schedule') return { mode };
  const concurrency = at.at('concurrency').as<RunSchedule['concurrency'] | undefined>() ?? 'forbid';
  const timeLimitSeconds = parseSeconds(at.at('timeLimit').value);
  const pausedBy = at.at('pausedBy').text;
  return {
    mode,
    cron: at.at('cron').as<string>().trim(),
    timeZone: at.at('timeZone').text ?? 'UTC',
    concurrency,
    atMost: concurrency === 'allow' ? (at.at('atMost').number ?? 2) : 1,
    startWithinSeconds: parseSeconds(at.at('startWithin').value) ?? START_WITHIN_SECONDS,
    ...(timeLimitSeconds === undefined ? {} : { timeLimitSeconds }),
    history: {
      completed: at.at('history', 'completed').number ?? RUNS_TOLD,
      failed: at.at('history', 'failed').number ?? RUNS_TOLD,
    },
    ...(pausedBy === undefined ? {} : { pausedBy }),
  };
}

function buildOffline(at: Cursor): IoTFunctionDescriptor['offline'] {
  type Offline = IoTFunctionDescriptor['offline'];
  const stopAfterSeconds = parseSeconds(at.at('stopAfter').value);
  const bufferBytes = parseBytes(at.at('buffer').value);
  return {
    onDisconnect: at.at('onDisconnect').as<Offline['onDisconnect']>(),
    ...(stopAfterSeconds === undefined ? {} : { stopAfterSeconds }),
    relocate: at.at('relocate').as<Offline['relocate']>(),
    coldBoot: at.at('coldBoot').as<boolean>(),
    prefetch: at.at('prefetch').as<string[]>(),
    ...(bufferBytes === undefined ? {} : { bufferBytes }),
  };
}

function buildConfig(at: Cursor): IoTFunctionDescriptor['config'] {
  const { apply, ...schema } = at.as<Record<string, unknown>>();
  const parameters = at.at('properties').entries();
  return {
    schema: parametersSchema(schema),
    defaults: defaultsOf(at),
    secrets: parameters
      .filter(([, parameter]) => parameter.at('secret').value === true)
      .map(([name]) => name),
    apply: (apply ?? {}) as Record<string, 'reload' | 'restart'>,
  };
}

/** Parameters are an object, and what is not listed is refused. */
export function parametersSchema(
  schema: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return { properties: {}, ...schema, type: 'object', additionalProperties: false };
}

/** Values of the parameters that have a default. */
export function defaultsOf(parameters: Cursor): Readonly<Record<string, unknown>> {
  const withDefault = parameters
    .at('properties')
    .entries()
    .filter(([, parameter]) => parameter.at('default').exists);
  return Object.fromEntries(withDefault.map(([name, parameter]) => [name, parameter.at('default').value]));
}

function buildUnit(at: Cursor): DescriptorUnit {
  const probe = (name: 'ready' | 'alive') =>
    at.at('probes', name).exists ? { [name]: buildProbe(at.at('probes', name)) } : {};
  return {
    name: at.at('name').as<string>(),
    artifacts: at.at('artifacts').as<Artifact[]>(),
    resources: {
      cpuMillis: parseCpuMillis(at.at('resources', 'cpu').value) ?? 0,
      memoryBytes: parseBytes(at.at('resources', 'memory').value) ?? 0,
      ...devicesOf(at.at('resources', 'devices')),
    },
    volumes: at.each('volumes').map(buildVolume),
    files: at.at('files').as<DescriptorUnit['files']>(),
    ports: at.at('ports').as<DescriptorUnit['ports']>(),
    env: at.at('env').as<Record<string, string>>(),
    ...(at.at('bindings').exists
      ? { bindings: at.at('bindings').as<NonNullable<DescriptorUnit['bindings']>>() }
      : {}),
    security: at.at('security').as<DescriptorUnit['security']>(),
    probes: { ...probe('ready'), ...probe('alive') },
    stop: {
      signal: at.at('stop', 'signal').as<DescriptorUnit['stop']['signal']>(),
      graceSeconds: parseSeconds(at.at('stop', 'grace').value) ?? 0,
    },
    ...(at.at('metrics').exists ? { metrics: buildMetrics(at.at('metrics')) } : {}),
  };
}

function devicesOf(at: Cursor): Pick<DescriptorUnit['resources'], 'devices'> {
  return at.entries().length === 0 ? {} : { devices: at.as<Record<string, number>>() };
}

function buildVolume(at: Cursor): UnitVolume {
  const { name, mount, keep } = at.as<Pick<UnitVolume, 'name' | 'mount' | 'keep'>>();
  return { name, mount, sizeBytes: parseBytes(at.at('size').value) ?? 0, keep };
}

function buildMetrics(at: Cursor): NonNullable<DescriptorUnit['metrics']> {
  const { every, ...rest } = at.as<NonNullable<DescriptorUnit['metrics']> & { readonly every?: string }>();
  const everySeconds = parseSeconds(every);
  return { ...rest, ...(everySeconds === undefined ? {} : { everySeconds }) };
}

function buildProbe(at: Cursor): Probe {
  return {
    action: buildProbeAction(at),
    everySeconds: parseSeconds(at.at('every').value) ?? 0,
    timeoutSeconds: parseSeconds(at.at('timeout').value) ?? 0,
    failAfter: at.at('failAfter').as<number>(),
  };
}

function buildProbeAction(at: Cursor): ProbeAction {
  if (at.at('http').exists) return { type: 'http', ...at.at('http').as<{ port: string; path: string }>() };
  if (at.at('tcp').exists) return { type: 'tcp', ...at.at('tcp').as<{ port: string }>() };
  return { type: 'exec', ...at.at('exec').as<{ command: string[] }>() };
}

function defaultFlavour(units: readonly DescriptorUnit[]): IoTFunctionDescriptor['flavours'][number] {
  const instances = Object.fromEntries(units.map(({ name }) => [name, 1]));
  return { name: 'default', levels: [{ name: 'default', instances }] };
}

function buildPlacement(at: Cursor): IoTFunctionDescriptor['placement'] {
  const { near: _near, spread: _spread, ...rest } = at.as<IoTFunctionDescriptor['placement']>();
  return {
    ...rest,
    near: at.at('near').oneOrMore().map(buildNear),
    spread: at
      .at('spread')
      .oneOrMore()
      .map((each) => each.as<Spread>()),
  };
}

function buildNear(at: Cursor): PlacementNear {
  const { host, label, requires, data, weight } = at.as<
    Readonly<Record<string, string>> & { weight?: number }
  >();
  const requirement = requires ?? data;
  const maxAgeSeconds = parseSeconds(at.at('maxAge').value);
  return {
    to: host !== undefined ? { host } : label !== undefined ? { label } : { requirement: requirement ?? '' },
    maxLatencyMilliseconds: (parseSeconds(at.at('maxLatency').value) ?? 0) * 1000,
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
    ...(weight === undefined ? {} : { weight }),
  };
}

function buildHealing(at: Cursor): IoTFunctionDescriptor['healing'] {
  const [backoffMinSeconds, backoffMaxSeconds] = parseSecondsRange(at.at('restart', 'backoff').value) ?? [
    0, 0,
  ];
  return {
    restart: {
      withinSeconds: parseSeconds(at.at('restart', 'within').value) ?? 0,
      times: at.at('restart', 'times').as<number>(),
      backoffMinSeconds,
      backoffMaxSeconds,
    },
    lostAfterSeconds: parseSeconds(at.at('lostAfter').value) ?? 0,
  };
}

function buildUpgrade(at: Cursor, isNeverTwice: boolean): IoTFunctionDescriptor['upgrade'] {
  type Upgrade = IoTFunctionDescriptor['upgrade'];
  const given = at.as<Pick<Upgrade, 'maxUnavailable' | 'maxSurge' | 'autoRollback'>>();
  const waves = buildWaves(at);
  const bakeSeconds = parseSeconds(at.at('bake').value);
  const healthyWithinSeconds = parseSeconds(at.at('healthyWithin').value);
  const bitsPerSecond = parseBitsPerSecond(at.at('bandwidth').value);
  const compare = at.each('compare').map((each) => ({
    indicator: each.at('indicator').as<string>(),
    tolerance: parseShare(each.at('tolerance').value) ?? 0,
    floor: each.at('floor').as<number>(),
  }));
  return {
    strategy:
      at.at('strategy').as<Upgrade['strategy'] | undefined>() ?? (isNeverTwice ? 'recreate' : 'rolling'),
    maxUnavailable: given.maxUnavailable,
    maxSurge: given.maxSurge,
    healthyForSeconds: parseSeconds(at.at('healthyFor').value) ?? 0,
    autoRollback: given.autoRollback,
    ...(healthyWithinSeconds === undefined ? {} : { healthyWithinSeconds }),
    ...(waves.length === 0 ? {} : { waves }),
    ...(bakeSeconds === undefined ? {} : { bakeSeconds }),
    ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
    ...(compare.length === 0 ? {} : { compare }),
  };
}

/** The member `waves` of what says how a version replaces another. */
export function buildWaves(at: Cursor): readonly UpgradeWave[] {
  return at.each('waves').map((wave): UpgradeWave => {
    const share = parseShare(wave.at('share').value);
    if (share !== undefined) return { share };
    return wave.at('label').exists
      ? { label: wave.at('label').as<string>() }
      : { count: wave.at('count').as<number>() };
  });
}
