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
const SLACK_MILLISECONDS = 30_000;

/** Removes all objects with that label; waits until the pods are gone, or lets them have their grace. Idempotent. */
export async function removeObjects(
  context: DriverContext,
  namespace: string,
  label: string,
  value: string,
  graceSeconds: number,
  returns: 'when gone' | 'at once',
): Promise<void> {
  const { client, view } = context;
  const selector = `${LABEL.scope}=${context.scopeLabel},${label}=${value}`;
  for (const set of view.setsWith(namespace, label, value)) await deleteSet(context, set, graceSeconds);
  const services = [...view.services.objects()].filter(
    ({ metadata }) => metadata?.namespace === namespace && metadata.labels?.[label] === value,
  );
  await Promise.all([
    ...services.map(async (service) => {
      await client.delete('service', namespace, service.metadata?.name ?? '');
      view.services.forget(service);
    }),
    client.deleteAll('networkPolicy', namespace, selector),
    client.deleteAll('secret', namespace, selector),
  ]);
  if (returns === 'when gone') await awaitPodsGone(context, namespace, selector, graceSeconds);
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
  await removeObjects(context, namespace, LABEL.workload, name, graceSeconds, 'when gone');
  const marker = view.configMaps.get(namespace, name);
  if (marker !== undefined) {
    await client.delete('configMap', namespace, name);
    view.configMaps.forget(marker);
  }
  if (!deleteKeptVolumes) return;
  const selector = [
    `${LABEL.scope}=${context.scopeLabel}`,
    `${LABEL.function}=${labelValue(key.vnfInstanceId)}`,
    `${LABEL.unit}=${labelValue(key.unit)}`,
  ].join(',');
  await client.deleteAll('claim', namespace, selector);
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
  for (const pod of [...view.pods.objects()]) {
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
