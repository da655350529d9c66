import type { Cloud } from './cloud.ts';
import { runCommand } from './run-command.ts';
import { instancesAt, joinVim, leaveVim, provideImage } from './vim-host.ts';

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly containerStatuses?: readonly { readonly containerID?: string; readonly ready: boolean }[];
  };
}

/** The cluster of kubectl, as a VIM; every namespace of the demo begins with its id. @param vimId unique to this demo */
export function createKubernetesCloud(vimId: string): Cloud {
  const kubectl = (...args: readonly string[]): Promise<string> => runCommand('kubectl', ...args);
  return {
    countsRestarts: false,
    // A kubelet may take a minute until a pod that is deleted is gone and a volume free.
    healSeconds: 150,
    whereabouts: `the namespaces ${vimId} and ${vimId}-*`,
    prepare: async (say) => {
      await kubectl('get', '--raw', '/readyz').catch((error: unknown) => {
        throw new RangeError(
          `--cloud kubernetes needs a cluster; name its kubeconfig in KUBECONFIG: ${String(error)}`,
        );
      });
      await provideImage(say);
    },
    join: (installation) => joinVim(installation, 'kubernetes', vimId),
    runs: async (installation, constituent) => {
      const instances = await instancesAt(installation, vimId, constituent?.name);
      const functions = [...new Set(instances.map(({ vnfInstanceId }) => vnfInstanceId))];
      if (functions.length === 0) return [];
      const selector = `iotmano/vnf-instance in (${functions.join(', ')})`;
      const list = await kubectl('get', 'pods', '--all-namespaces', '--selector', selector, '--output=json');
      return (JSON.parse(list) as { items: Pod[] }).items.flatMap(({ metadata, status }) => {
        const [container] = status.containerStatuses ?? [];
        return container?.ready === true && metadata.deletionTimestamp === undefined
          ? [`${metadata.namespace} ${metadata.name} ${container.containerID ?? ''}`]
          : [];
      });
    },
    kill: async (run, { name }) => {
      const [namespace = '', pod = ''] = run.split(' ');
      // By force only what may run twice for a moment: the one writer of a volume must be gone first.
      const force = name === 'storage' ? [] : ['--force', '--grace-period=0'];
      await kubectl('delete', 'pod', pod, '--namespace', namespace, '--wait=false', ...force);
    },
    leave: (installation) => leaveVim(installation, vimId),
    leaveNothing: async () => {
      const names = await kubectl('get', 'namespaces', '--output=name');
      const ours = names
        .split('\n')
        .filter((name) => name === `namespace/${vimId}` || name.startsWith(`namespace/${vimId}-`));
      if (ours.length > 0) await kubectl('delete', ...ours, '--ignore-not-found', '--timeout=180s');
      return ours;
    },
  };
}
