import type { Cloud } from './cloud.ts';
import { runCommand } from './run-command.ts';
import { instancesAt, joinVim, leaveVim, provideImage } from './vim-host.ts';

const SCOPE = 'iotmano.scope';

/** The Docker Engine of the docker command, as a VIM. @param vimId unique to this demo: by it, what is left is found */
export function createDockerCloud(vimId: string): Cloud {
  const docker = (...args: readonly string[]): Promise<string> => runCommand('docker', ...args);
  /** Names of what belongs to the demo. */
  const ours = async (...list: readonly string[]): Promise<readonly string[]> => {
    const format = list[0] === 'ps' ? '{{.ID}}' : '{{.Name}}';
    const lines = await docker(
      ...list,
      '--filter',
      `label=${SCOPE}`,
      '--format',
      `${format} {{.Label "${SCOPE}"}}`,
    );
    return lines
      .split('\n')
      .filter((line) => line.endsWith(`.${vimId}`))
      .map((line) => line.split(' ')[0] ?? '');
  };
  return {
    countsRestarts: true,
    healSeconds: 30,
    whereabouts: `docker ps, volume ls and network ls with --filter label=${SCOPE}; the scope ends with .${vimId}`,
    prepare: async (say) => {
      await docker('version').catch((error: unknown) => {
        throw new RangeError(
          `--cloud docker needs a Docker Engine; name one in DOCKER_HOST: ${String(error)}`,
        );
      });
      await provideImage(say);
    },
    join: (installation) => joinVim(installation, 'docker', vimId),
    runs: async (installation, constituent) => {
      const containers = await Promise.all(
        (await instancesAt(installation, vimId, constituent?.name)).map(({ vnfInstanceId, unit }) =>
          docker(
            'ps',
            '--quiet',
            '--filter',
            `label=iotmano.vnf-instance=${vnfInstanceId}`,
            '--filter',
            `label=iotmano.unit=${unit}`,
          ),
        ),
      );
      const ids = [...new Set(containers.flatMap((lines) => lines.split('\n').filter(Boolean)))];
      if (ids.length === 0) return [];
      const runs = await docker('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', ...ids).catch(
        () => '',
      );
      return runs.split('\n').filter(Boolean);
    },
    kill: async (run) => void (await docker('kill', run.split(' ')[0] ?? '')),
    leave: (installation) => leaveVim(installation, vimId),
    leaveNothing: async () => {
      const containers = await ours('ps', '--all');
      if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers);
      const volumes = await ours('volume', 'ls');
      if (volumes.length > 0) await docker('volume', 'rm', '--force', ...volumes);
      const networks = await ours('network', 'ls');
      if (networks.length > 0) await docker('network', 'rm', ...networks);
      return [...containers, ...volumes, ...networks];
    },
  };
}
