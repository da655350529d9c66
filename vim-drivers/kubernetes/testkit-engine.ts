/** The engine below a cluster of one machine, where it is a Docker one that the test may ask: what programs really do is seen there. */
import { request } from 'node:http';
import { readFile } from 'node:fs/promises';

const SOCKET = '/var/run/docker.sock';

interface Container {
  readonly Id: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

function ask(method: 'GET' | 'POST', path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: SOCKET, path, method }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((answer.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${method} ${path}: ${text}`));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Id of a container as the cluster writes it (`docker://…`). */
function plainId(containerId: string): string {
  return containerId.replace(/^docker:\/\//, '');
}

export async function signalContainer(containerId: string, name: string): Promise<void> {
  await ask('POST', `/containers/${plainId(containerId)}/kill?signal=${name}`);
}

/** What the control group of a container counts. */
export async function measureContainer(
  containerId: string,
): Promise<{ readonly memoryBytes: number; readonly cpuSeconds: number }> {
  const { State } = JSON.parse(await ask('GET', `/containers/${plainId(containerId)}/json`)) as {
    readonly State: { readonly Pid: number };
  };
  const groups = await readFile(`/proc/${State.Pid}/cgroup`, 'utf8');
  const group = (controller: RegExp): string =>
    groups
      .split('\n')
      .map((line) => line.split(':'))
      .find(([, controllers = '']) => controller.test(controllers))?.[2] ?? '/';
  const read = (path: string): Promise<string> => readFile(`/sys/fs/cgroup/${path}`, 'utf8');
  const memory = group(/(^|,)memory(,|$)/);
  const cpu = group(/(^|,)cpuacct(,|$)/);
  const [used, stat, nanoseconds] = await Promise.all([
    read(`memory${memory}/memory.usage_in_bytes`),
    read(`memory${memory}/memory.stat`),
    read(`cpuacct${cpu}/cpuacct.usage`),
  ]);
  const inactive = Number(/^total_inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  return { memoryBytes: Number(used) - inactive, cpuSeconds: Number(nanoseconds) / 1e9 };
}

/**
 * Ends the sandboxes of pods that are being deleted and whose program has ended. The image of sandboxes of the cluster at hand does not heed
 * SIGTERM, as a usual one does; each would take ten seconds more.
 * @param isLeaving whether the pod of that uid is being deleted
 */
export async function endSandboxes(namespace: string, isLeaving: (uid: string) => boolean): Promise<void> {
  const filters = JSON.stringify({ label: [`io.kubernetes.pod.namespace=${namespace}`] });
  const path = `/containers/json?all=1&filters=${encodeURIComponent(filters)}`;
  const containers = JSON.parse(await ask('GET', path)) as readonly Container[];
  const isSandbox = ({ Labels }: Container): boolean => Labels['io.kubernetes.docker.type'] === 'podsandbox';
  const podOf = ({ Labels }: Container): string => Labels['io.kubernetes.pod.uid'] ?? '';
  for (const sandbox of containers.filter((one) => isSandbox(one) && one.State === 'running')) {
    const isBusy = containers.some(
      (one) => !isSandbox(one) && podOf(one) === podOf(sandbox) && one.State === 'running',
    );
    if (!isBusy && isLeaving(podOf(sandbox)))
      await ask('POST', `/containers/${sandbox.Id}/kill`).catch(() => undefined);
  }
}
