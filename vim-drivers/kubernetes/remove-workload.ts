import { IotmanoError, unreachable } from '../../kernel/index.ts';
import type { WorkloadKey } from '../contract.ts';
import type { DriverContext } from './context.ts';
import { LABEL, labelValue, workloadName } from './names.ts';
import type { KubeObject } from './objects.ts';
import { wholeGraceSeconds } from './pod-template.ts';
import { deleteSet } from './slot-writer.ts';

export interface RemoveOptions {
  readonly graceSeconds: number;
  readonly deleteKeptVolumes: boolean;
}

/** What a machine may take beyond the grace to tell that it has stopped a pod. */
const SLACK_MILLISECONDS = 90_000;

/** Removes what runs and what is reached with that label. The pods are given their grace and not waited for. Idempotent. */
export async function stopObjects(
  context: DriverContext,
  namespace: string,
  label: string,
  value: string,
  graceSeconds: number,
): Promise<void> {
  const { client, view } = context;
  for (const set of view.setsWith(namespace, label, value)) await deleteSet(context, set, graceSeconds);
  const services = [...view.services.objects()].filter(
    ({ metadata }) => metadata?.namespace === namespace && metadata.labels?.[label] === value,
  );
  for (const service of services) {
    await client.delete('service', namespace, service.metadata?.name ?? '');
    view.services.forget(service);
  }
}

/** Removes what only pods need, once they are gone: without its Secret a kubelet does not come to an end with a pod. */
export async function removeLeftovers(
  { client, scopeLabel }: DriverContext,
  namespace: string,
  label: string,
  value: string,
): Promise<void> {
  const selector = `${LABEL.scope}=${scopeLabel},${label}=${value}`;
  await Promise.all([
    client.deleteAll('networkPolicy', namespace, selector),
    client.deleteAll('secret', namespace, selector),
  ]);
}

/** Removes a workload; kept volumes only where that is said. */
export async function removeWorkload(
  context: DriverContext,
  namespace: string,
  key: WorkloadKey,
  { graceSeconds, deleteKeptVolumes }: RemoveOptions,
): Promise<void> {
  const { client, view } = context;
  const name = workloadName(key);
  await stopObjects(context, namespace, LABEL.workload, name, graceSeconds);
  const selector = `${LABEL.scope}=${context.scopeLabel},${LABEL.workload}=${name}`;
  await awaitPodsGone(context, namespace, selector, graceSeconds);
  await removeLeftovers(context, namespace, LABEL.workload, name);
  const marker = view.configMaps.get(namespace, name);
  if (marker !== undefined) {
    await client.delete('configMap', namespace, name);
    view.configMaps.forget(marker);
  }
  if (!deleteKeptVolumes) return;
  const claims = [
    `${LABEL.scope}=${context.scopeLabel}`,
    `${LABEL.function}=${labelValue(key.vnfInstanceId)}`,
    `${LABEL.unit}=${labelValue(key.unit)}`,
  ].join(',');
  await client.deleteAll('claim', namespace, claims);
}

async function awaitPodsGone(
  context: DriverContext,
  namespace: string,
  selector: string,
  graceSeconds: number,
): Promise<void> {
  const { client, clock, view } = context;
  const deadline = clock.monotonic() + graceSeconds * 1000 + SLACK_MILLISECONDS;
  for (;;) {
    const { items } = await client.list('pod', { namespace, labelSelector: selector });
    forgetGone(context, namespace, selector, items);
    if (items.length === 0) return;
    // What was made while its set was being deleted.
    for (const { metadata } of items)
      if (metadata?.deletionTimestamp === undefined)
        await client.delete('pod', namespace, metadata?.name ?? '', {
          graceSeconds: wholeGraceSeconds(graceSeconds),
        });
    if (clock.monotonic() > deadline) throw stuck(items);
    const known = view.pods;
    const isLeft = (): boolean =>
      items.some(({ metadata }) => known.get(namespace, metadata?.name ?? '') !== undefined);
    const look = clock.monotonic() + 1000;
    while (isLeft() && clock.monotonic() < look) await clock.sleep(50);
    if (!isLeft()) await clock.sleep(20);
  }
}

/** The view learns at once what the server no longer has. */
function forgetGone(
  { view }: DriverContext,
  namespace: string,
  selector: string,
  found: readonly KubeObject<'pod'>[],
): void {
  const wanted = selector.split(',').map((part) => part.split('='));
  const uids = new Set(found.map(({ metadata }) => metadata?.uid));
  for (const pod of view.pods.objects()) {
    const { metadata } = pod;
    const isSelected = wanted.every(([label = '', value]) => metadata?.labels?.[label] === value);
    if (metadata?.namespace === namespace && isSelected && !uids.has(metadata.uid)) view.pods.forget(pod);
  }
}

function stuck([pod]: readonly KubeObject<'pod'>[]): IotmanoError {
  if (pod === undefined) return unreachable(pod as never);
  const { metadata, spec } = pod;
  return new IotmanoError(
    'unavailable',
    `the pod ${metadata?.namespace}/${metadata?.name} does not end; its machine ${spec?.nodeName ?? ''} may be away: look after the machine, or delete it from the cluster`,
    { pod: metadata?.name },
  );
}
