import { systemClock } from '../../kernel/index.ts';
import { createKitAuthority } from '../kit-authority.ts';
import type { AgentWire, Answer, KeptConnection, Message } from '../orchestrator-kit/agent-wire.ts';

type Send = AgentWire['send'];
type Trade = (message: Message, forward: (changed?: Partial<Message>) => Promise<Answer>) => Promise<Answer>;

/** Makes an orchestrator that is right do one thing wrong: between the binding and the kit, where the keys of the hosts are known. */
export interface BrokenOverTls {
  readonly requirement: string;
  readonly does: string;
  readonly make: () => (wire: AgentWire) => AgentWire;
}

/** Changes what is sent, or answered, on all connections. */
function trading(make: () => Trade): BrokenOverTls['make'] {
  return () => {
    const trade = make();
    const traded =
      (send: Send): Send =>
      (message, trace, signal) =>
        trade(message, (changed = {}) => send({ ...message, ...changed }, trace, signal));
    return (wire) => ({ ...wire, send: traded(wire.send), ...keeping(wire, (kept) => kept, traded) });
  };
}

/** Changes connections that stay open. */
function keeping(
  { tls }: AgentWire,
  change: (kept: KeptConnection) => KeptConnection,
  send: (own: Send) => Send = (own) => own,
): Pick<AgentWire, 'tls'> {
  if (tls === undefined) return {};
  const open: typeof tls.open = (shown) => {
    const kept = tls.open(shown);
    return change({ ...kept, send: send(kept.send) });
  };
  return { tls: { open } };
}

interface Own {
  readonly key: NonNullable<Message['key']>;
  readonly certificate: string;
}

/** Believes in a connection that the host has shown its certificate, where it has not. */
function believing(
  isTaken: (message: Message, known: ReadonlySet<string>) => boolean,
): BrokenOverTls['make'] {
  return trading(() => {
    const own = new Map<string, Own>();
    return async (message, forward) => {
      const { hostId, key, certificate } = message;
      const mine = own.get(hostId);
      const known = new Set([...own.values()].map((each) => each.certificate));
      const isOther = mine !== undefined && certificate !== mine.certificate;
      const answer = await forward(isOther && isTaken(message, known) ? mine : {});
      const issued = certificateIn(answer);
      if (key !== undefined && issued !== undefined) own.set(hostId, { key, certificate: issued });
      return answer;
    };
  });
}

function certificateIn({ body }: Answer): string | undefined {
  return (body as { readonly certificate?: { readonly certificate: string } } | undefined)?.certificate
    ?.certificate;
}

function withoutCertificate(answer: Answer): Answer {
  const { certificate: _certificate, ...body } = answer.body as Record<string, unknown>;
  return { ...answer, body };
}

/** What was answered well before is answered again where that is not to be any more. */
function answeringOn(isMeant: (message: Message, enrolments: number) => boolean): BrokenOverTls['make'] {
  return trading(() => {
    const good = new Map<string, Answer>();
    const enrolments = new Map<string, number>();
    return async (message, forward) => {
      const { operation, hostId } = message;
      const name = `${operation} ${hostId}`;
      const answer = await forward().catch(() => undefined);
      if (operation === 'enrolHost') enrolments.set(hostId, (enrolments.get(hostId) ?? 0) + 1);
      if (answer !== undefined && answer.status < 300) {
        good.set(name, answer);
        return answer;
      }
      const before = isMeant(message, enrolments.get(hostId) ?? 0) ? good.get(name) : undefined;
      return before ?? answer ?? forward();
    };
  });
}

/** An orchestrator that issues certificates to nobody, though it speaks TLS: it breaks nothing. */
export const withoutAuthority = trading(() => async (_, forward) => {
  const answer = await forward();
  return certificateIn(answer) === undefined ? answer : withoutCertificate(answer);
});

export const BROKEN_OVER_TLS: readonly BrokenOverTls[] = [
  {
    requirement: 'MCO-C-060',
    does: 'issues certificates to those only that ask for them',
    make: trading(() => async ({ operation }, forward) => {
      const answer = await forward();
      return operation === 'enrolHost' && answer.status === 201 ? withoutCertificate(answer) : answer;
    }),
  },
  {
    requirement: 'MCO-C-060',
    does: 'issues certificates that name another host',
    make: trading(() => async ({ operation, key }, forward) => {
      const answer = await forward();
      if (operation !== 'enrolHost' || answer.status !== 201 || key === undefined) return answer;
      const authority = await createKitAuthority(systemClock);
      const certificate = await authority.issue('another', key, 60);
      return { ...answer, body: { ...(answer.body as object), certificate } };
    }),
  },
  {
    requirement: 'MCO-C-060',
    does: 'takes no certificate',
    make: trading(() => (_, forward) => forward({ certificate: undefined })),
  },
  {
    requirement: 'MCO-C-060',
    does: 'takes certificates of every authority',
    make: believing(({ certificate }, known) => certificate !== undefined && !known.has(certificate)),
  },
  {
    requirement: 'MCO-C-060',
    does: 'does not look whose certificate it is',
    make: believing(({ certificate = '' }, known) => known.has(certificate)),
  },
  {
    requirement: 'MCO-C-060',
    does: 'asks hosts for nothing at all',
    make: believing(({ certificate }) => certificate === undefined),
  },
  {
    requirement: 'MCO-C-062',
    does: 'takes certificates that were revoked',
    make: answeringOn(({ certificate }) => certificate !== undefined),
  },
  {
    requirement: 'MCO-C-062',
    does: 'takes a certificate again once its host is enrolled anew',
    make: answeringOn(({ certificate }, enrolments) => certificate !== undefined && enrolments > 2),
  },
  {
    requirement: 'MCO-C-063',
    does: 'leaves connections of a revoked host open',
    make: () => (wire) => ({ ...wire, ...keeping(wire, (kept) => ({ ...kept, isOpen: () => true })) }),
  },
  {
    requirement: 'MCO-C-063',
    does: 'lets questions of a revoked host wait on',
    make: () => (wire) => ({
      ...wire,
      ...keeping(
        wire,
        (kept) => kept,
        (send) => (message, trace, signal) =>
          send(message, trace, signal).catch(() => new Promise<Answer>(() => undefined)),
      ),
    }),
  },
  {
    requirement: 'MCO-C-063',
    does: 'lets sessions of a revoked host go on',
    make: answeringOn(({ operation, token }) => operation === 'getWanted' && token !== undefined),
  },
  {
    requirement: 'MCO-C-063',
    does: 'enrols a key that was revoked',
    make: answeringOn(({ operation }) => operation === 'enrolHost'),
  },
  {
    requirement: 'MCO-C-063',
    does: 'enrols a host that was revoked never again',
    make: trading(() => {
      const keys = new Map<string, Message['key']>();
      return async (message, forward) => {
        const { operation, hostId, key } = message;
        const before = keys.get(hostId) ?? key;
        keys.set(hostId, before);
        if (operation !== 'enrolHost' || before === key) return forward();
        return { operation, status: 409, headers: {}, body: {}, bytes: Buffer.alloc(0), faults: [] };
      };
    }),
  },
  {
    requirement: 'MCO-C-064',
    does: 'takes the token of a certificate on every connection',
    make: believing(({ certificate, token }) => certificate === undefined && token !== undefined),
  },
  {
    requirement: 'MCO-C-064',
    does: 'takes the token of a certificate with any other one',
    make: believing(
      ({ certificate, token }, known) =>
        certificate !== undefined && !known.has(certificate) && token !== undefined,
    ),
  },
  {
    requirement: 'MCO-C-064',
    does: 'takes the token of a certificate with that of another host',
    make: believing(({ certificate = '', token }, known) => known.has(certificate) && token !== undefined),
  },
];
