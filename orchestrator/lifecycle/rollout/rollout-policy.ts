import { IotmanoError } from '../../../kernel/index.ts';
import {
  parseExpression,
  type DescriptorUnit,
  type IoTFunctionDescriptor,
} from '../../../descriptors/index.ts';
import type { RolloutPolicy, RolloutRecord } from '../../domain/index.ts';
import type { LifecycleContext } from '../context.ts';
import { packageOf, type FunctionPackage } from '../function-catalog.ts';
import { isSingleWriter } from '../liveness.ts';

/** What a request says of how a version replaces another, instead of the descriptor. */
export type PolicyRequest = Partial<RolloutPolicy>;

/**
 * How the new version replaces the old one: as its own descriptor says, unless the request says otherwise.
 * @throws IotmanoError `unprocessable` for what would run a single writer twice, could never begin, or could never be compared
 */
export function resolvePolicy(
  before: FunctionPackage,
  after: FunctionPackage,
  request: PolicyRequest,
  isCoverage: boolean,
): RolloutPolicy {
  const { descriptor } = after;
  const isSingle = isSingleWriter(descriptor) || isSingleWriter(before.descriptor);
  const isScheduled = [before, after].some((pkg) => pkg.descriptor.run.mode === 'schedule');
  const { bitsPerSecond: _bitsPerSecond, ...upgrade } = descriptor.upgrade;
  const said: RolloutPolicy = {
    ...upgrade,
    ...(isSingle || isScheduled ? { strategy: 'recreate' } : {}),
    ...request,
  };
  const policy = withWaves(said);
  const { productName } = descriptor.metadata;
  if (isSingle && policy.strategy !== 'recreate')
    throw new IotmanoError(
      'unprocessable',
      `upgrade.strategy: ${productName} has a single writer, and ${policy.strategy} runs two versions at once; use recreate`,
    );
  if (isScheduled && policy.strategy !== 'recreate')
    throw new IotmanoError(
      'unprocessable',
      `upgrade.strategy: ${productName} runs by a schedule, and with ${policy.strategy} two versions would have it at once; use recreate`,
    );
  const isOneByOne = policy.strategy === 'rolling' || policy.strategy === 'canary';
  if (isOneByOne && policy.maxUnavailable === 0 && policy.maxSurge === 0)
    throw new IotmanoError(
      'unprocessable',
      `upgrade: with maxUnavailable 0 and maxSurge 0 nothing can begin; allow one of them to be 1 or more`,
    );
  requireWaves(policy, isCoverage);
  requireComparable(policy, before, after, isCoverage);
  return policy;
}

/** What is compared has to be there to be compared: in one of the versions the indicator, and when a wave has been watched the old version. */
function requireComparable(
  { strategy, compare = [] }: RolloutPolicy,
  before: FunctionPackage,
  after: FunctionPackage,
  isCoverage: boolean,
): void {
  if (compare.length > 0 && strategy === 'recreate' && !isCoverage)
    throw new IotmanoError(
      'unprocessable',
      'upgrade.compare: recreate ends all of the old version before the new one starts, and leaves nothing to compare with; leave compare out, or use canary',
    );
  const known = [
    ...new Set([after, before].flatMap(({ descriptor: { units } }) => units.flatMap(indicatorsOf))),
  ];
  const index = compare.findIndex(({ indicator }) => !known.includes(indicator));
  if (index === -1) return;
  throw new IotmanoError(
    'unprocessable',
    `upgrade.compare[${index}].indicator: neither ${nameOf(before)} nor ${nameOf(after)} has an indicator "${compare[index]?.indicator}"; ${known.length === 0 ? 'they declare none: leave compare out' : `there are ${known.join(', ')}`}`,
  );
}

function indicatorsOf({ metrics }: DescriptorUnit): readonly string[] {
  return metrics?.indicators.map(({ name }) => name) ?? [];
}

/** Product and version. */
export function nameOf({ descriptor: { metadata } }: FunctionPackage): string {
  return `${metadata.productName} ${metadata.softwareVersion}`;
}

function requireWaves({ waves = [], stopAt, window }: RolloutPolicy, isCoverage: boolean): void {
  if (
    !isCoverage &&
    (stopAt !== undefined || window !== undefined || waves.some(({ label }) => label !== undefined))
  )
    throw new IotmanoError(
      'unprocessable',
      'upgrade: stopAt, window and waves by label are about hosts, and only a function with coverage has its hosts given; leave them out',
    );
  for (const { label } of waves) {
    const [fault] = label === undefined ? [] : parseExpression(label).faults;
    if (fault !== undefined)
      throw new IotmanoError('unprocessable', `upgrade.waves: "${label}": ${fault.message}; ${fault.remedy}`);
  }
}

/** A canary, as any version that is to be compared, is a part that comes first; of a blue-green change the old version stays until the new one has been watched. */
function withWaves(policy: RolloutPolicy): RolloutPolicy {
  if (policy.waves !== undefined && policy.waves.length > 0) return policy;
  const isCompared = (policy.compare ?? []).length > 0;
  const isWatched = (policy.bakeSeconds ?? 0) > 0 || isCompared;
  if (policy.strategy === 'canary' || (isCompared && policy.strategy !== 'blue-green'))
    return { ...policy, waves: [{ count: 1 }] };
  if (policy.strategy === 'blue-green' && isWatched) return { ...policy, waves: [{ share: 1 }] };
  return policy;
}

/**
 * Why there is no way back from a version: what it has written to its state, the one before it does not read. Undefined: there is one.
 */
export function whyIrreversible(
  { catalog }: Pick<LifecycleContext, 'catalog'>,
  { before, target, from, to }: Pick<RolloutRecord, 'before' | 'target' | 'from' | 'to'>,
): string | undefined {
  const old = packageOf(catalog, before.vnfPkgId).descriptor;
  const fresh = packageOf(catalog, target.vnfPkgId).descriptor;
  return readsState(old, fresh)
    ? undefined
    : `there is no way back: ${to} has state of schema ${fresh.state.schema ?? 'none'}, which ${from} does not read; retry, or fail the operation`;
}

/** Whether a version reads what another one has written. Without a schema nothing is said of the state. */
export function readsState(
  { state: reader }: Pick<IoTFunctionDescriptor, 'state'>,
  { state: writer }: Pick<IoTFunctionDescriptor, 'state'>,
): boolean {
  if (writer.schema === undefined || writer.schema === reader.schema) return true;
  return reader.migratesFrom.includes(writer.schema);
}
