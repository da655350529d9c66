import type { V1PodSpec } from '@kubernetes/client-node';
import { IotmanoError } from '../../kernel/index.ts';
import type { Workload } from '../contract.ts';
import type { DriverContext } from './context.ts';
import { LABEL, NOTE, shortHash, workloadName } from './names.ts';
import type { KubeObject, Wire } from './objects.ts';
import { imageFault } from './pod-state.ts';
import { CONTAINER } from './pod-template.ts';
import { readCopy } from './records.ts';
import { containerArtifact } from './slot-plan.ts';

/** No image has it: the container is made of the image, and then has nothing to run. */
const NOTHING = ['/iotmano-runs-nothing'];
const LOOK_MILLISECONDS = 250;
/** A pull may take as long as this; then whoever applies is told, and applies again. */
const PATIENCE_MILLISECONDS = 300_000;

/**
 * Sees to it that the cluster has a new image before what runs of another one is replaced by it: a pod of it that runs nothing is made, and deleted.
 * Tells whether there was anything to wait for.
 * @throws IotmanoError `unavailable` when the image cannot be had now
 */
export async function awaitImage(
  context: DriverContext,
  namespace: string,
  workload: Workload,
  signal: AbortSignal,
): Promise<boolean> {
  const { image } = containerArtifact(workload);
  const selector = workloadName(workload.key);
  const copies = context.view
    .setsWith(namespace, LABEL.workload, selector)
    .flatMap(({ object }) => readCopy(object, NOTE.copy) ?? []);
  if (copies.length === 0 || copies.some((copy) => copy.image === image)) return false;
  const name = `image-${shortHash(16, selector, image)}`;
  try {
    await context.client.apply('pod', podOf(context, namespace, workload, name));
    await untilThere(context, namespace, name, image, signal);
    return true;
  } finally {
    await context.client.delete('pod', namespace, name, { graceSeconds: 1 });
  }
}

async function untilThere(
  { client, clock }: DriverContext,
  namespace: string,
  name: string,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE_MILLISECONDS;
  for (;;) {
    const pod = await client.get('pod', namespace, name);
    if (pod === undefined || isMade(pod)) return;
    const fault = imageFault(pod, image);
    if (fault !== undefined) throw new IotmanoError('unavailable', `${fault}; what runs runs on`, { image });
    if (clock.monotonic() > deadline)
      throw new IotmanoError('unavailable', `the image "${image}" is still being fetched; what runs runs on`);
    await clock.sleep(LOOK_MILLISECONDS, signal);
    if (signal.aborted)
      throw new IotmanoError('unavailable', `a later command came while the image "${image}" was fetched`);
  }
}

/** A container that has ended, or could not be started, was made of its image. */
function isMade({ status }: KubeObject<'pod'>): boolean {
  const { state, lastState } = status?.containerStatuses?.[0] ?? {};
  return (
    state?.running !== undefined ||
    state?.terminated !== undefined ||
    lastState?.terminated !== undefined ||
    /^(Run|Create)ContainerError$/.test(state?.waiting?.reason ?? '')
  );
}

function podOf(
  { scopeLabel }: DriverContext,
  namespace: string,
  workload: Workload,
  name: string,
): { metadata: { name: string; namespace: string; labels: Record<string, string> }; spec: Wire<V1PodSpec> } {
  const least = { cpu: '10m', memory: '16Mi' };
  return {
    metadata: {
      name,
      namespace,
      labels: { [LABEL.scope]: scopeLabel, [LABEL.workload]: workloadName(workload.key) },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: CONTAINER,
          image: containerArtifact(workload).image,
          imagePullPolicy: 'IfNotPresent',
          command: NOTHING,
          resources: { requests: least, limits: least },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
