import { access, constants } from 'node:fs/promises';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { faultLines, type FaultLike } from './faults.ts';
import { idempotencyKey } from './operation.ts';
import { say } from './output.ts';

const PATHS = {
  function: { path: '/vnfpkgm/v2/vnf_packages', content: 'package_content' },
  service: { path: '/nsd/v2/ns_descriptors', content: 'nsd_content' },
} as const;

export type PackageKind = keyof typeof PATHS;

/** SOL005 VnfPkgInfo and NsdInfo, as far as the commands look at them. */
export interface PackageInfo {
  readonly id: string;
  readonly onboardingState?: string;
  readonly nsdOnboardingState?: string;
  readonly operationalState?: string;
  readonly nsdOperationalState?: string;
  readonly usageState?: string;
  readonly nsdUsageState?: string;
  readonly onboardingFailureDetails?: { readonly detail: string; readonly faults: readonly FaultLike[] };
  readonly [attribute: string]: unknown;
}

const POLL_MILLISECONDS = 100;

export function listPackages(client: Client, kind: PackageKind): Promise<PackageInfo[]> {
  return client.list<PackageInfo>(PATHS[kind].path);
}

/** @throws CliFailure where there is no such file */
export async function demandFile(file: string): Promise<void> {
  await access(file, constants.R_OK).catch(() => {
    throw new CliFailure(EXIT.usage, `${file} cannot be read: there is no such file, or it is not yours`);
  });
}

/** Creates the resource, uploads the content, waits until it is checked; leaves nothing behind when it is refused. */
export async function onboard(client: Client, kind: PackageKind, file: string): Promise<string> {
  const { path, content } = PATHS[kind];
  const { id } = (await client.post<PackageInfo>(path, {}, idempotencyKey())).body;
  const resource = `${path}/${encodeURIComponent(id)}`;
  try {
    const isZip = extname(file).toLowerCase() === '.zip';
    await client.putFile(`${resource}/${content}`, file, isZip ? 'application/zip' : 'application/yaml');
    await waitOnboarded(client, resource, file);
  } catch (error) {
    await client
      .delete(resource)
      .catch((problem: unknown) => say(`${resource} could not be cleaned up: ${String(problem)}`));
    throw error;
  }
  return id;
}

async function waitOnboarded(client: Client, resource: string, file: string): Promise<void> {
  for (;;) {
    const { body } = await client.get<PackageInfo>(resource);
    const state = body.onboardingState ?? body.nsdOnboardingState;
    if (state === 'ONBOARDED') return;
    if (state === 'ERROR') {
      const { detail = 'no reason given', faults = [] } = body.onboardingFailureDetails ?? {};
      throw new CliFailure(EXIT.usage, `${file} was refused: ${detail}`, faultLines(faults));
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** Disables and deletes what is not in use; what is in use stays as it is. @throws CliFailure */
export async function removePackage(client: Client, id: string): Promise<void> {
  const kind = await kindOf(client, id);
  const resource = `${PATHS[kind].path}/${encodeURIComponent(id)}`;
  const { body } = await client.get<PackageInfo>(resource);
  if ((body.usageState ?? body.nsdUsageState) === 'IN_USE')
    throw new CliFailure(
      EXIT.conflict,
      `${id} is in use; remove what uses it first: see "iotmano service list"`,
    );
  const stateName = kind === 'function' ? 'operationalState' : 'nsdOperationalState';
  const wasEnabled = body[stateName] === 'ENABLED';
  if (wasEnabled) await client.patch(resource, { [stateName]: 'DISABLED' });
  try {
    await client.delete(resource);
  } catch (error) {
    if (wasEnabled) await client.patch(resource, { [stateName]: 'ENABLED' });
    throw error;
  }
}

async function kindOf(client: Client, id: string): Promise<PackageKind> {
  for (const kind of ['function', 'service'] as const)
    if ((await listPackages(client, kind)).some((item) => item.id === id)) return kind;
  throw new CliFailure(
    EXIT.notFound,
    `no package or service descriptor has the id ${id}; see "iotmano package list"`,
  );
}
