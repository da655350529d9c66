import { execInPod } from './exec.ts';
import type { DriverContext } from './context.ts';
import { NOTE } from './names.ts';
import type { KubeObject } from './objects.ts';
import { BINDINGS_DIRECTORY, BINDINGS_HASH_FILE } from './slot-plan.ts';

type Pod = KubeObject<'pod'>;

/** How it stands with a program and its new bindings. */
export type Telling = 'told' | 'not-there-yet' | 'not-handled' | 'no-shell';

const NOT_THERE_YET = 4;
const NOT_HANDLED = 3;

/**
 * Told is who has the file and was sent SIGHUP after. Only what the shell itself can do is used: images have little else. A program that has not
 * come as far as handling SIGHUP is not sent it: it would be lost.
 */
const SCRIPT = `
IFS= read -r hash <"$1" || exit ${NOT_THERE_YET}
[ "$hash" = "$2" ] || exit ${NOT_THERE_YET}
while read -r name mask; do
  case "$name:$mask" in
    SigIgn::*[13579bdf]) exit 0 ;;
    SigCgt::*[13579bdf]) kill -s HUP 1; exit ;;
  esac
done </proc/1/status
exit ${NOT_HANDLED}`;

/** Brings new bindings to the program of a pod, one step nearer at each call. */
export async function tellBindings(context: DriverContext, pod: Pod, hash: string): Promise<Telling> {
  const { client } = context;
  const { namespace = '', name = '' } = pod.metadata ?? {};
  // A pod that has changed is looked at by its kubelet at once, and with it its files; else that may take minutes.
  if (pod.metadata?.annotations?.[NOTE.bindingsWanted] !== hash)
    await annotate(context, pod, { [NOTE.bindingsWanted]: hash, ...told(pod) });
  const path = `${BINDINGS_DIRECTORY}/${BINDINGS_HASH_FILE}`;
  const address = { config: client.transport.config, namespace, pod: name };
  const { exitCode: code } = await execInPod(address, ['sh', '-c', SCRIPT, 'sh', path, hash]);
  if (code === NOT_THERE_YET) return 'not-there-yet';
  if (code === NOT_HANDLED) return 'not-handled';
  if (code !== 0) return 'no-shell';
  await annotate(context, pod, { [NOTE.bindingsWanted]: hash, [NOTE.bindingsTold]: hash });
  return 'told';
}

function told({ metadata }: Pod): Record<string, string> {
  const hash = metadata?.annotations?.[NOTE.bindingsTold];
  return hash === undefined ? {} : { [NOTE.bindingsTold]: hash };
}

async function annotate(
  { client, view }: DriverContext,
  { metadata }: Pod,
  annotations: Record<string, string>,
): Promise<void> {
  const { name = '', namespace, uid } = metadata ?? {};
  const identity = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  };
  view.pods.learn(await client.apply('pod', { metadata: { ...identity, annotations } }));
}

/** Whether the program of the pod may have read older bindings than these, and was not told of them. */
export function isUntold(
  pod: Pod,
  bindings: { readonly hash: string; readonly changedAt?: string },
): boolean {
  if (bindings.changedAt === undefined) return false;
  const { creationTimestamp = '', annotations = {} } = pod.metadata ?? {};
  // Both are times of the API server, in whole seconds.
  const isOlder = Date.parse(creationTimestamp) <= Date.parse(bindings.changedAt);
  return isOlder && annotations[NOTE.bindingsTold] !== bindings.hash;
}
