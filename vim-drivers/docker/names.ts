import { createHash } from 'node:crypto';
import { instanceName, type WorkloadKey } from '../contract.ts';

/** Short, and the same for the same scope. */
export function scopeTag(scope: string): string {
  return createHash('sha256').update(scope).digest('hex').slice(0, 8);
}

/**
 * The network that the instances of a service share; those of functions that are in no service share their tenant's: an engine has few
 * networks, and takes longer to make one than to start a container.
 */
export function networkName(
  scope: string,
  key: WorkloadKey,
  labels: Readonly<Record<string, string>>,
): string {
  const service = labels['serviceId'] ?? labels['service'];
  // A dot is in no name of a tenant: no tenant's service is ever in another's network.
  const group = service === undefined ? '' : `.${slug(service)}`;
  return `${networkPrefix(scope)}${key.tenant}${group}`;
}

/** How the names of all networks of a scope begin. */
export function networkPrefix(scope: string): string {
  return `iotmano-${scopeTag(scope)}-`;
}

/** Names under which an instance is found in its network, besides that of its container. */
export function dnsAliases(labels: Readonly<Record<string, string>>): readonly string[] {
  const names = [labels['constituent'], labels['function']].filter((name) => name !== undefined);
  return [...new Set(names.map((name) => slug(name).slice(0, 63)))].filter((name) => name !== '');
}

export function directoryVolume(key: WorkloadKey, slot: number): string {
  return `${instanceName(key, slot)}.dir`;
}

export function ephemeralVolume(key: WorkloadKey, slot: number, volume: string): string {
  return `${instanceName(key, slot)}.${volume}.tmp`;
}

/** The same for every generation. */
export function keptVolume(key: WorkloadKey, slot: number, volume: string): string {
  return `${key.vnfInstanceId}.${key.unit}.${slot}.${volume}.kept`;
}

/** A name that engines and DNS take; two texts that differ only in what is replaced get different ones. */
function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  if (plain === text && plain.length <= 60) return plain;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 6);
  return `${plain.slice(0, 50)}-${digest}`.replace(/^-/, '');
}
