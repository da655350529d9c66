import type { Manifest } from './object-client.ts';

export interface QuotaBounds {
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
  readonly storageBytes?: number;
  readonly instances?: number;
}

/** Lets the pods of a tenant be reached by those of the same tenant; what they expose is opened for each of them. */
export function tenantPolicy(
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Manifest<'networkPolicy'> {
  return {
    metadata: { name: 'tenant', namespace, labels: { ...labels } },
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
  };
}

/** What a tenant may have in all; undefined without any bound. */
export function createQuota(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  { cpuMillis, memoryBytes, storageBytes, instances }: QuotaBounds,
): Manifest<'quota'> | undefined {
  const hard = {
    ...(cpuMillis === undefined ? {} : { 'limits.cpu': `${cpuMillis}m` }),
    ...(memoryBytes === undefined ? {} : { 'limits.memory': String(memoryBytes) }),
    ...(storageBytes === undefined ? {} : { 'requests.storage': String(storageBytes) }),
    ...(instances === undefined ? {} : { pods: String(instances) }),
  };
  if (Object.keys(hard).length === 0) return undefined;
  return { metadata: { name: 'tenant', namespace, labels: { ...labels } }, spec: { hard } };
}
