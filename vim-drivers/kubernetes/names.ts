import { createHash } from 'node:crypto';
import { instanceName, workloadId, type WorkloadKey } from '../contract.ts';

/** Labels on everything that the driver makes, and on pods. */
export const LABEL = {
  scope: 'iotmano/scope',
  tenant: 'iotmano/tenant',
  workload: 'iotmano/workload',
  slot: 'iotmano/slot',
  function: 'iotmano/vnf-instance',
  unit: 'iotmano/unit',
} as const;

/** Annotations; their content is JSON or a single word. */
export const NOTE = {
  /** Of a namespace: the scope as it was given. */
  scope: 'iotmano/scope',
  /** Of a set: `SlotRecord`. */
  slot: 'iotmano/slot',
  /** Of a set and its pods: `CopyRecord`; another one means another copy. */
  copy: 'iotmano/copy',
  /** Of a set: `SupervisionRecord`, what the driver has decided by itself. */
  supervision: 'iotmano/supervision',
  /** Of a set: names for people. */
  labels: 'iotmano/labels',
  /** Of a pod: hash of the bindings that the kubelet is to bring to it. */
  bindingsWanted: 'iotmano/bindings-wanted',
  /** Of a pod: hash of the bindings that its program was told of. */
  bindingsTold: 'iotmano/bindings-told',
  /** Of the record of a workload without slots: `WorkloadRecord`. */
  workload: 'iotmano/workload',
} as const;

export function shortHash(length: number, ...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, length);
}

/** The text where it may be the value of a label, else one that stands for it. */
export function labelValue(text: string): string {
  if (/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/.test(text)) return text;
  const readable = text.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+/g, '');
  return `${readable.slice(0, 40) || 'x'}.${shortHash(16, text)}`;
}

/** Name of the objects of one slot of one generation; also the value of its label. Fits where Kubernetes adds to names. */
export function slotName(key: WorkloadKey, slot: number): string {
  return `${stem(key.unit)}-g${key.generation}-${slot}-${shortHash(10, instanceName(key, slot))}`;
}

/** Value of the label of everything that belongs to a workload. */
export function workloadName(key: WorkloadKey): string {
  return `${stem(key.unit)}-g${key.generation}-${shortHash(16, workloadId(key))}`;
}

/** Name of the claim of a kept volume: the same for every generation. */
export function claimName({ vnfInstanceId, unit }: WorkloadKey, slot: number, volume: string): string {
  return `${stem(unit)}-${stem(volume)}-${slot}-${shortHash(10, vnfInstanceId, unit, slot, volume)}`;
}

/** Namespace of a tenant. */
export function namespaceName(prefix: string, tenant: string): string {
  const name = prefix + tenant;
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name;
  return `${stem(prefix, 40)}-${shortHash(16, name)}`;
}

/** Namespace of what belongs to no tenant. No tenant's is called so: a tenant's name is never empty. */
export function scopeNamespaceName(prefix: string): string {
  return stem(prefix, 60);
}

/** The beginning of a name: letters, digits and dashes, a letter first. */
function stem(text: string, length = 14): string {
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
  const named = /^[a-z]/.test(plain) ? plain : `x${plain}`;
  return named.slice(0, length).replace(/-+$/, '');
}
