import type { UnitPort } from '../../descriptors/index.ts';
import { workloadId, type WorkloadId, type WorkloadKey, type WorkloadSpec } from '../contract.ts';

/** Whose it is. Nothing without it is ever touched. */
export const SCOPE_LABEL = 'iotmano.scope';
export const KIND_LABEL = 'iotmano.kind';
export const WORKLOAD_LABEL = 'iotmano.workload';
export const INSTANCE_LABEL = 'iotmano.instance';
export const RECORD_LABEL = 'iotmano.record';
export const FUNCTION_LABEL = 'iotmano.vnf-instance';
export const UNIT_LABEL = 'iotmano.unit';
export const SLOT_LABEL = 'iotmano.slot';
const TENANT_LABEL = 'iotmano.tenant';
const GENERATION_LABEL = 'iotmano.generation';
const MARK_LABEL = 'iotmano.mark';

/** What a thing on the engine is to us. */
export type Kind = 'instance' | 'directory' | 'ephemeral' | 'kept' | 'network' | 'fence' | 'note';

/** What looking after an instance needs of its spec, so that a driver opened anew can do it before anybody tells it the spec. No secrets. */
export interface Plan {
  readonly run: WorkloadSpec['run'];
  readonly probes: WorkloadSpec['probes'];
  readonly restart: WorkloadSpec['restart'];
  readonly stop: WorkloadSpec['stop'];
  readonly ports: readonly UnitPort[];
  readonly bindings?: WorkloadSpec['bindings'];
  readonly command: readonly string[];
  readonly memoryBytes: number;
}

/** What is written on a container, for good. */
export interface ContainerMark {
  readonly key: WorkloadKey;
  readonly slot: number;
  readonly epoch: number;
  readonly specHash: string;
  readonly plan: Plan;
  readonly ports: Readonly<Record<string, number>>;
  readonly network: string;
  /** Of the bindings that it was made with. */
  readonly bindingsHash: string;
}

export function planOf(spec: WorkloadSpec): Plan {
  const { artifact, run, probes, restart, stop, ports, bindings, resources } = spec;
  return {
    run,
    probes,
    restart,
    stop,
    ports,
    ...(bindings === undefined ? {} : { bindings }),
    command: artifact.command ?? [],
    memoryBytes: resources.memoryBytes,
  };
}

/** Labels of everything that belongs to a workload. */
export function workloadLabels(scope: string, key: WorkloadKey, kind: Kind): Record<string, string> {
  return {
    [SCOPE_LABEL]: scope,
    [KIND_LABEL]: kind,
    [WORKLOAD_LABEL]: workloadId(key),
    [TENANT_LABEL]: key.tenant,
    [FUNCTION_LABEL]: key.vnfInstanceId,
    [UNIT_LABEL]: key.unit,
    [GENERATION_LABEL]: String(key.generation),
  };
}

export function containerLabels(
  scope: string,
  mark: ContainerMark,
  forPeople: Readonly<Record<string, string>>,
): Record<string, string> {
  const { key, slot } = mark;
  return {
    ...Object.fromEntries(Object.entries(forPeople).map(([name, value]) => [`iotmano.label.${name}`, value])),
    ...workloadLabels(scope, key, 'instance'),
    [INSTANCE_LABEL]: `${workloadId(key)}-${slot}`,
    [SLOT_LABEL]: String(slot),
    'iotmano.epoch': String(mark.epoch),
    'iotmano.spec-hash': mark.specHash,
    [MARK_LABEL]: JSON.stringify(mark),
  };
}

/** What a container of ours says of itself; nothing when somebody has made something else with our label. */
export function parseMark(labels: Readonly<Record<string, string>>): ContainerMark | undefined {
  try {
    const mark = JSON.parse(labels[MARK_LABEL] ?? '') as ContainerMark;
    const isWhole =
      typeof mark.key.vnfInstanceId === 'string' &&
      Number.isInteger(mark.slot) &&
      Number.isInteger(mark.epoch) &&
      mark.plan.restart.times >= 0 &&
      typeof mark.plan.stop.graceSeconds === 'number' &&
      [mark.plan.run, mark.plan.probes, mark.ports].every(isRecord) &&
      [mark.plan.ports, mark.plan.command].every(Array.isArray) &&
      typeof mark.network === 'string' &&
      labels[WORKLOAD_LABEL] === workloadId(mark.key);
    return isWhole ? mark : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

export function idOf(mark: Pick<ContainerMark, 'key'>): WorkloadId {
  return workloadId(mark.key);
}
