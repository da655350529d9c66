import type { VimExtra, VimInterfaceInfo, VimType } from '../domain/index.ts';
import { checkKubeconfig } from './check-kubeconfig.ts';
import { checkCertificates, checkKeyPair, refusal } from './check-pem.ts';
import { isLoopback } from './loopback.ts';
import type { VimAccessInfo } from './vim-access.ts';

/**
 * What no schema can say of how a VIM is reached: that endpoint, certificates and credentials are readable and go together. Messages never quote credentials.
 * @throws IotmanoError `unprocessable` with the pointer of the place
 */
export function checkReach(vimType: VimType, interfaceInfo: VimInterfaceInfo, access: VimAccessInfo): void {
  const { trustedCertificates } = interfaceInfo;
  const { clientCertificate, clientKey } = access;
  if (trustedCertificates !== undefined)
    checkCertificates(trustedCertificates, '/interfaceInfo/trustedCertificates');
  if (clientCertificate !== undefined && clientKey === undefined)
    throw refusal('/accessInfo/clientKey', 'is missing; a certificate is of no use without its key');
  if (clientCertificate === undefined && clientKey !== undefined)
    throw refusal('/accessInfo/clientCertificate', 'is missing; a key is of no use without its certificate');
  if (clientCertificate !== undefined && clientKey !== undefined) checkKeyPair(clientCertificate, clientKey);
  if (vimType === 'docker') checkDocker(interfaceInfo, access);
  else checkKubernetes(interfaceInfo, access);
}

/** @throws IotmanoError `unprocessable` */
export function checkExtra({ portRange }: VimExtra): void {
  if (portRange !== undefined && portRange[0] > portRange[1])
    throw refusal(
      '/extra/portRange',
      `goes from ${portRange[0]} to ${portRange[1]}; give the smaller number first`,
    );
}

const ENDPOINT = '/interfaceInfo/endpoint';

function checkDocker({ endpoint = '', trustedCertificates }: VimInterfaceInfo, access: VimAccessInfo): void {
  const hasTls = trustedCertificates !== undefined || access.clientCertificate !== undefined;
  if (/^unix:\/\/\/[^\0?#]+$/.test(endpoint)) {
    if (hasTls) throw refusal(ENDPOINT, 'is a socket, which has no TLS; leave certificates and keys out');
    return;
  }
  const match = /^tcp:\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(endpoint);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535)
    throw refusal(
      ENDPOINT,
      'is no endpoint of a Docker Engine; write unix:///path/of/the/socket or tcp://host:port',
    );
  if (!hasTls && !isLoopback(match[1]))
    throw refusal(
      ENDPOINT,
      'is reached over the network, where everybody could use an engine without TLS; give interfaceInfo.trustedCertificates, accessInfo.clientCertificate and accessInfo.clientKey',
    );
}

function checkKubernetes(interfaceInfo: VimInterfaceInfo, access: VimAccessInfo): void {
  const { endpoint, inCluster, trustedCertificates, skipCertificateVerification } = interfaceInfo;
  const hasCredentials = Object.keys(access).length > 0;
  if (inCluster === true) {
    if (endpoint !== undefined || hasCredentials || trustedCertificates !== undefined)
      throw refusal(
        '/interfaceInfo/inCluster',
        'is true: the cluster says everything itself; leave the rest of interfaceInfo, and accessInfo, out',
      );
    return;
  }
  if (access.kubeconfig !== undefined) {
    if (
      endpoint !== undefined ||
      trustedCertificates !== undefined ||
      skipCertificateVerification !== undefined
    )
      throw refusal(
        '/accessInfo/kubeconfig',
        'says itself how the server is reached; leave interfaceInfo out',
      );
    if (access.bearerToken !== undefined || access.clientKey !== undefined)
      throw refusal('/accessInfo/kubeconfig', 'has its own credentials; leave the others out');
    checkKubeconfig(access.kubeconfig, access.context);
    return;
  }
  if (access.context !== undefined)
    throw refusal(
      '/accessInfo/context',
      'is a context of a kubeconfig, and there is none; give accessInfo.kubeconfig, or leave it out',
    );
  checkServer(endpoint, access);
}

function checkServer(endpoint: string | undefined, { bearerToken, clientKey }: VimAccessInfo): void {
  if (endpoint === undefined)
    throw refusal(
      ENDPOINT,
      'is missing; give the URL of the API server, or accessInfo.kubeconfig, or interfaceInfo.inCluster',
    );
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || url.protocol !== 'https:' || url.search !== '' || url.hash !== '')
    throw refusal(ENDPOINT, 'is no URL of an API server with TLS; write https://host:port');
  if (url.username !== '' || url.password !== '')
    throw refusal(ENDPOINT, 'holds a user name or password; give credentials in accessInfo');
  if (bearerToken !== undefined && clientKey !== undefined)
    throw refusal('/accessInfo', 'holds a token and a certificate; give one of them');
  if (bearerToken === undefined && clientKey === undefined)
    throw refusal('/accessInfo', 'has no credentials; give bearerToken, or clientCertificate and clientKey');
  if (bearerToken !== undefined && !/^[\x21-\x7e]+$/.test(bearerToken))
    throw refusal(
      '/accessInfo/bearerToken',
      'holds blanks or characters that no token has; give the token alone',
    );
}
