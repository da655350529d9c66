import {
  IotmanoError,
  messageOf,
  unreachable,
  type Clock,
  type HostId,
  type Logger,
} from '../kernel/index.ts';
import { DRIVERS } from '../vim-drivers/registry.ts';
import type { ArtifactSource, VimDriver } from '../vim-drivers/index.ts';
import type { ContentFiles } from './packages/index.ts';
import type { OpenDriver, VimOpening } from './sites/index.ts';

export interface DriverOpenerOptions {
  readonly files: Pick<ContentFiles, 'openArtifact'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens drivers of VIMs; the library of a platform is loaded only when the first VIM of its type is. */
export function createDriverOpener({ files, clock, log }: DriverOpenerOptions): OpenDriver {
  const artifacts: ArtifactSource = { open: ({ digest }) => openFile(files, digest) };
  return async (opening): Promise<VimDriver> => {
    const { vimId, vimType, scope, extra } = opening;
    const { address, tier, labels } = extra;
    const shared = {
      hostId: vimId as string as HostId,
      scope,
      clock,
      log: log.child({ vimId }),
      ...(address === undefined ? {} : { address }),
      ...(tier === undefined ? {} : { tier }),
      ...(labels === undefined ? {} : { labels }),
    };
    switch (vimType) {
      case 'docker': {
        const { createDockerDriver } = await DRIVERS.docker();
        const { portRange } = extra;
        const endpoint = dockerEndpoint(opening);
        return await createDockerDriver({
          ...shared,
          endpoint,
          artifacts,
          ...(portRange === undefined ? {} : { portRange }),
        });
      }
      case 'kubernetes': {
        const { createKubernetesDriver } = await DRIVERS.kubernetes();
        const { namespacePrefix, quota } = extra;
        return await createKubernetesDriver({
          ...shared,
          connection: kubernetesConnection(opening),
          ...(namespacePrefix === undefined ? {} : { namespacePrefix }),
          ...(quota === undefined ? {} : { quota }),
        });
      }
      default:
        return unreachable(vimType);
    }
  };
}

type DockerMaker = Awaited<ReturnType<typeof DRIVERS.docker>>['createDockerDriver'];
type KubernetesMaker = Awaited<ReturnType<typeof DRIVERS.kubernetes>>['createKubernetesDriver'];

function dockerEndpoint({ interfaceInfo, accessInfo }: VimOpening): Parameters<DockerMaker>[0]['endpoint'] {
  const { endpoint = '', trustedCertificates: ca } = interfaceInfo;
  const { clientCertificate: certificate, clientKey: key } = accessInfo;
  if (endpoint.startsWith('unix://')) return { type: 'socket', path: endpoint.slice('unix://'.length) };
  const { hostname, port } = new URL(endpoint);
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  };
  const host = hostname.replace(/^\[|\]$/g, '');
  return { type: 'tcp', host, port: Number(port), ...(Object.keys(tls).length === 0 ? {} : { tls }) };
}

function kubernetesConnection({
  interfaceInfo,
  accessInfo,
}: VimOpening): Parameters<KubernetesMaker>[0]['connection'] {
  const { endpoint = '', inCluster, trustedCertificates: ca, skipCertificateVerification } = interfaceInfo;
  const {
    kubeconfig,
    context,
    bearerToken: token,
    clientCertificate: certificate,
    clientKey: key,
  } = accessInfo;
  if (inCluster === true) return { type: 'in-cluster' };
  if (kubeconfig !== undefined)
    return { type: 'kubeconfig', text: kubeconfig, ...(context === undefined ? {} : { context }) };
  return {
    type: 'server',
    server: endpoint,
    ...(ca === undefined ? {} : { ca }),
    ...(skipCertificateVerification === undefined ? {} : { skipVerification: skipCertificateVerification }),
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

/** A file that is not there any more will not come back by waiting. */
async function openFile(files: Pick<ContentFiles, 'openArtifact'>, digest: string): Promise<string> {
  try {
    return (await files.openArtifact(digest)).path;
  } catch (error) {
    throw new IotmanoError('artifact-unusable', messageOf(error), { digest }, error);
  }
}
