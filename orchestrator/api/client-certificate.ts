import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { hostIdOfCertificate } from '../../pki/index.ts';
import type { ClientCertificate } from './route-types.ts';

const known = new WeakMap<TLSSocket, ClientCertificate>();

/**
 * The certificate that the client of a connection has shown, where it is one of a host, signed by our own authority, and its key was proven. Whether it
 * is still good is for the inventory to say.
 */
export function clientCertificateOf({
  socket,
}: Pick<IncomingMessage, 'socket'>): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const seen = known.get(socket);
  if (seen !== undefined) return seen;
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  const hostId = hostIdOfCertificate(certificate ?? {});
  if (certificate === undefined || hostId === undefined) return undefined;
  const { x = '' } = certificate.publicKey.export({ format: 'jwk' });
  const { validFromDate, validToDate } = certificate;
  const found = {
    hostId,
    publicKeyX: x,
    validFrom: validFromDate.getTime(),
    validTo: validToDate.getTime(),
  };
  known.set(socket, found);
  return found;
}
