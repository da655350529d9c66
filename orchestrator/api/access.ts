import { IotmanoError, SYSTEM_TENANT, type HostId, type TenantId } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';
import type { Authenticate } from './access-token.ts';
import type { ClientCertificate, Route } from './route-types.ts';

/** Who calls a public route. Owns nothing: no record belongs to this tenant. */
export const ANONYMOUS: Caller = { tenant: 'nobody' as TenantId, role: 'viewer', name: 'anonymous' };

/**
 * The caller that the Authorization header names; without one, the host whose certificate the connection shows.
 * @throws IotmanoError `unauthorized`
 */
export function requireCaller(
  authorization: string | undefined,
  authenticate: Authenticate,
  certificate?: ClientCertificate,
): Caller {
  if (authorization === undefined && certificate !== undefined) return hostCaller(certificate);
  const token = bearerOf(authorization);
  if (token === undefined) {
    throw new IotmanoError(
      'unauthorized',
      'header Authorization is missing or not of the form "Bearer TOKEN"; send an access token',
    );
  }
  const caller = authenticate(token);
  if (caller === undefined)
    throw new IotmanoError('unauthorized', 'the access token is unknown or expired; get a new one');
  return caller;
}

function hostCaller({ hostId }: ClientCertificate): Caller {
  return { tenant: SYSTEM_TENANT, role: 'agent', name: hostId, hostId: hostId as HostId };
}

/** Whether the token in the Authorization header is good now. */
export function isKnownCaller(authorization: string | undefined, authenticate: Authenticate): boolean {
  const token = bearerOf(authorization);
  return token !== undefined && authenticate(token) !== undefined;
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(authorization ?? '')?.[1];
}

/**
 * Whether the role, and for agents the host, may use the route.
 * @throws IotmanoError `forbidden`
 */
export function requireAccess(route: Route, caller: Caller, params: Readonly<Record<string, string>>): void {
  const { access } = route;
  if (access === 'public') return;
  if (access === 'host') {
    if (caller.role === 'agent' && caller.hostId === params['hostId']) return;
    throw new IotmanoError(
      'forbidden',
      'only the session of the host in the path may use this resource; open a session as that host',
    );
  }
  if (access.includes(caller.role)) return;
  throw new IotmanoError(
    'forbidden',
    `role ${caller.role} may not use ${route.method} ${route.path}; it takes role ${access.join(' or ')}`,
  );
}
