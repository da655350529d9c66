import { IotmanoError, parseId, type Clock, type HostId, type Logger } from '../../kernel/index.ts';
import type { HostDocument, SessionDocument } from '../domain/index.ts';
import type { ApiRequest, ApiResponse, Route } from '../api/route.ts';
import type { Inventory, MessageSequences } from '../inventory/index.ts';
import type { AgentStreams } from '../diagnostics/index.ts';
import type { Monitoring } from '../monitoring/index.ts';
import type { HostAuthority } from '../../pki/index.ts';
import type { ContentFiles } from '../packages/index.ts';
import type { StateStore } from '../store/index.ts';
import { readEnvelope, withEnvelope, type Envelope } from './envelope.ts';
import type { Polls } from './polls.ts';
import type { WantedChanges } from './wanted-changes.ts';

export interface McoOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inventory: Inventory;
  readonly monitoring: Pick<Monitoring, 'ingestMeasurements' | 'ingestAlarms' | 'collectionJobsFor'>;
  readonly diagnostics: Pick<AgentStreams, 'requestsFor' | 'changedAt' | 'takeChunk'>;
  readonly artifacts: Pick<ContentFiles, 'openArtifact'>;
  /** Identifier of the M2M service provider that this orchestrator serves: `//example.org`. */
  readonly m2mSpId: string;
  /** Issues certificates to hosts; absent: they prove their key for each session. */
  readonly hostAuthority?: HostAuthority;
}

/** What the handlers of Mco share. */
export interface McoContext extends McoOptions {
  readonly changes: WantedChanges;
  readonly sequences: MessageSequences;
  readonly polls: Polls;
}

export interface McoRequest {
  readonly request: ApiRequest;
  readonly hostId: HostId;
  readonly envelope: Envelope;
}

export interface SessionRequest extends McoRequest {
  readonly session: SessionDocument;
}

type Shape = Pick<Route, 'method' | 'path' | 'body' | 'maxBodyBytes'>;
type HostRole = HostDocument['roles'][number];

/** A route before there is a session. */
export function publicRoute(
  context: McoContext,
  shape: Shape,
  handle: (request: McoRequest) => ApiResponse | Promise<ApiResponse>,
): Route {
  return {
    ...shape,
    access: 'public',
    handle: async (request) => {
      const envelope = readEnvelope(request, context.m2mSpId, context.clock.now());
      const hostId = (request.params['hostId'] ?? '') as HostId;
      if (request.params['hostId'] !== undefined) parseId<HostId>(hostId, 'hostId');
      return withEnvelope(await handle({ request, hostId, envelope }), context.m2mSpId);
    },
  };
}

/** A route of a session that is for one of the roles. */
export function sessionRoute(
  context: McoContext,
  shape: Shape,
  roles: readonly HostRole[],
  handle: (request: SessionRequest) => ApiResponse | Promise<ApiResponse>,
): Route {
  return {
    ...shape,
    access: 'host',
    handle: async (request) => {
      const envelope = readEnvelope(request, context.m2mSpId, context.clock.now());
      const hostId = parseId<HostId>(request.params['hostId'], 'hostId');
      const session = requireOwnSession(context, request, envelope, hostId);
      requireRole(rolesOf(context, session), roles);
      return withEnvelope(await handle({ request, hostId, envelope, session }), context.m2mSpId);
    },
  };
}

/** @throws IotmanoError `unauthorized`, `not-found`, `conflict` (disputed) */
export function requireOwnSession(
  { inventory }: McoContext,
  { caller, clientCertificate }: ApiRequest,
  { bootId }: Envelope,
  hostId: HostId,
): SessionDocument {
  inventory.requireHost(hostId);
  const { sessionId } = caller;
  const session =
    sessionId === undefined
      ? inventory.requireSessionOfBoot(hostId, bootId)
      : inventory.requireSession(sessionId);
  const isProven = clientCertificate !== undefined && inventory.isCertificateOf(clientCertificate, hostId);
  if (session.isCertificateBound === true && !isProven) {
    throw new IotmanoError(
      'unauthorized',
      'the session was opened with a certificate of the host, and this connection shows none that is good now; connect with it, or open a session with a proof',
    );
  }
  if (session.bootId !== bootId) {
    throw new IotmanoError(
      'unauthorized',
      `the session belongs to boot ${session.bootId}, header Mco-Boot-Id names ${bootId}; open a session for this boot`,
    );
  }
  return session;
}

/** @throws IotmanoError `forbidden` where none of the roles that are held is one of those that may */
export function requireRole(held: readonly HostRole[], roles: readonly HostRole[]): void {
  if (roles.some((role) => held.includes(role))) return;
  throw new IotmanoError(
    'forbidden',
    `this operation is for the role ${roles.join(' or ')}; the host speaks for ${held.join(' and ')}`,
  );
}

export function rolesOf({ store }: McoContext, { roles, hostId }: SessionDocument): HostDocument['roles'] {
  return roles ?? store.get('host', hostId)?.document.roles ?? [];
}
