import type { VimId } from '../../kernel/index.ts';
import type { VimCredentials, VimExtra, VimInterfaceInfo, VimType } from '../domain/index.ts';
import type { VimDriver } from '../../vim-drivers/index.ts';
import { kubeconfigSecrets } from './check-kubeconfig.ts';

/** Credentials in the clear (SOL003 VimConnectionInfo.accessInfo): in memory only. */
export interface VimAccessInfo {
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly bearerToken?: string;
  readonly kubeconfig?: string;
  /** Of the kubeconfig. */
  readonly context?: string;
}

/** All that is needed to open the driver of a VIM. */
export interface VimOpening {
  readonly vimId: VimId;
  readonly vimType: VimType;
  readonly scope: string;
  readonly interfaceInfo: VimInterfaceInfo;
  readonly accessInfo: VimAccessInfo;
  readonly extra: VimExtra;
}

/** Opens the driver of a VIM; makes no call there. Given by the composition root, which loads what it needs only now. */
export type OpenDriver = (opening: VimOpening) => Promise<VimDriver>;

export function credentialsOf(access: VimAccessInfo): VimCredentials {
  if (access.kubeconfig !== undefined) return 'kubeconfig';
  if (access.bearerToken !== undefined) return 'token';
  return access.clientKey === undefined ? 'none' : 'certificate';
}

const SHORTEST_SECRET = 6;

/** An error may quote one line of a key. */
function keyLines(pem = ''): readonly string[] {
  return pem.split(/\r?\n/).filter((line) => !line.startsWith('-----'));
}

/** A function that takes the credentials out of any text, however they came into it. */
export function redactor(access: VimAccessInfo): (text: string) => string {
  const { bearerToken, clientKey, kubeconfig } = access;
  const texts = [
    bearerToken,
    clientKey,
    ...keyLines(clientKey),
    ...(kubeconfig === undefined ? [] : kubeconfigSecrets(kubeconfig)).flatMap((secret) => [
      secret,
      ...keyLines(Buffer.from(secret, 'base64').toString('latin1')),
    ]),
  ];
  const secrets = texts.flatMap((text) =>
    text === undefined || text.trim().length < SHORTEST_SECRET ? [] : [text.trim()],
  );
  return (text) => secrets.reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text);
}
