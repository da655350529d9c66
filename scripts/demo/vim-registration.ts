import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

export type VimKind = 'docker' | 'kubernetes';

/** What is posted to register the Docker Engine or the cluster that the command line tools of this machine speak to. */
export interface VimRegistration {
  readonly vimId: string;
  readonly vimType: VimKind;
  readonly interfaceInfo?: object;
  readonly accessInfo?: object;
  readonly extra: object;
}

/**
 * The engine of DOCKER_HOST, or the current context of KUBECONFIG, as a VIM of the tier cloud; its namespaces begin with the id.
 * @throws RangeError what is missing
 */
export async function registrationOf(kind: VimKind, vimId: string): Promise<VimRegistration> {
  const extra = { tier: 'cloud', labels: { site: 'centre', zone: 'centre' } };
  if (kind === 'docker') return { vimId, vimType: kind, ...dockerReach(), extra };
  const kubeconfig = await runCommand('kubectl', 'config', 'view', '--raw', '--flatten', '--minify');
  return {
    vimId,
    vimType: kind,
    accessInfo: { kubeconfig },
    extra: { ...extra, namespacePrefix: `${vimId}-` },
  };
}

function dockerReach(): Pick<VimRegistration, 'interfaceInfo' | 'accessInfo'> {
  const endpoint = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const folder = process.env['DOCKER_CERT_PATH'] ?? '';
  if ((process.env['DOCKER_TLS_VERIFY'] ?? '') === '' || !existsSync(folder))
    return { interfaceInfo: { endpoint } };
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return {
    interfaceInfo: { endpoint, trustedCertificates: read('ca.pem') },
    accessInfo: { clientCertificate: read('cert.pem'), clientKey: read('key.pem') },
  };
}
