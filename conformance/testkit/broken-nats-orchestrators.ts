import { encodeUser } from '@nats-io/jwt';
import { createUser } from '@nats-io/nkeys';
import type { AccountKeys } from '../../orchestrator/mco/nats/index.ts';
import { natsReplyFaults } from '../nats/document.ts';
import type { AgentWire, Answer } from '../orchestrator-kit/agent-wire.ts';
import type { NatsMessage } from '../orchestrator-kit/host-link.ts';

/** Makes an orchestrator that is right do one thing wrong: between the binding and the kit. */
export interface AnswerMeddle {
  /** What an answer says in headers, by names in small letters. */
  readonly headers?: (headers: Answer['headers'], operation: string) => Answer['headers'];
  /** The JWT that a host has been given for its key. */
  readonly jwt?: (jwt: string, hostId: string, keys: AccountKeys) => Promise<string>;
  readonly push?: (push: NatsMessage) => NatsMessage;
}

export interface BrokenOverNats {
  readonly requirement: string;
  readonly does: string;
  readonly make: () => AnswerMeddle;
  /** What its operator asks for, and it does not do. */
  readonly ignores?: string;
  /** It answers wherever it is told to. */
  readonly isObliging?: boolean;
}

const UNBOUNDED = {
  pub: { allow: ['>'], deny: [] },
  sub: { allow: ['>'], deny: [] },
  subs: -1,
  data: -1,
  payload: -1,
};

export const BROKEN_OVER_NATS: readonly BrokenOverNats[] = [
  {
    requirement: 'MCO-C-070',
    does: 'answers without an envelope',
    make: () => ({
      headers: ({ 'mco-sp-id': provider, ...rest }, operation) =>
        operation === 'getWanted' ? rest : { 'mco-sp-id': provider, ...rest },
    }),
  },
  {
    requirement: 'MCO-C-071',
    does: 'gives hosts users that may do anything',
    make: () => ({
      jwt: (jwt, hostId, { account }) => encodeUser(hostId, subjectOf(jwt), account, UNBOUNDED),
    }),
  },
  {
    requirement: 'MCO-C-072',
    does: 'gives hosts users with another key',
    make: () => ({
      jwt: (_, hostId, { account }) => encodeUser(hostId, createUser().getPublicKey(), account, UNBOUNDED),
    }),
  },
  {
    requirement: 'MCO-C-073',
    does: 'does not tell the servers of a revocation',
    make: () => ({}),
    ignores: 'revoke',
  },
  {
    requirement: 'MCO-C-075',
    does: 'does not say what a push builds on',
    make: () => ({ push: (push) => ({ ...push, headers: { ...push.headers, 'Mco-Since': '1' } }) }),
  },
  { requirement: 'MCO-C-076', does: 'answers wherever it is told to', make: () => ({}), isObliging: true },
  {
    requirement: 'MCO-C-077',
    does: 'pushes what is too large',
    make: () => ({ push: (push) => ({ ...push, bytes: Buffer.from('{}') }) }),
  },
  {
    requirement: 'MCO-C-078',
    does: 'takes no key that was revoked ever again',
    make: () => {
      const enrolled = new Set<string>();
      return {
        jwt: (jwt, hostId, { account }) => {
          if (enrolled.has(hostId))
            return encodeUser(hostId, createUser().getPublicKey(), account, UNBOUNDED);
          enrolled.add(hostId);
          return Promise.resolve(jwt);
        },
      };
    },
  },
  {
    requirement: 'MCO-M-023',
    does: 'has nothing of what it has receipted after a restart',
    make: () => ({}),
    ignores: 'measurement',
  },
  {
    requirement: 'MCO-M-024',
    does: 'tells a receipt once',
    make: () => ({ headers: ({ 'mco-receipt': _receipt, ...rest }) => rest }),
  },
];

/** @param keys of the orchestrator behind it */
export function meddledWire(wire: AgentWire, meddle: AnswerMeddle, keys: AccountKeys): AgentWire {
  const { nats } = wire;
  if (nats === undefined) return wire;
  return {
    ...wire,
    send: async (message, trace, signal) => {
      const answer = await wire.send(message, trace, signal);
      const own = message.key === undefined ? undefined : nats.jwtOf(message.hostId, message.key);
      if (
        message.operation === 'enrolHost' &&
        own !== undefined &&
        message.key !== undefined &&
        meddle.jwt !== undefined
      )
        nats.giveJwt(message.hostId, message.key, await meddle.jwt(own, message.hostId, keys));
      if (meddle.headers === undefined) return answer;
      const headers = meddle.headers(answer.headers, message.operation);
      return { ...answer, headers, faults: faultsOf({ ...answer, headers }) };
    },
    nats: {
      ...nats,
      openLink: async (hostId, key) => {
        const link = await nats.openLink(hostId, key);
        const { push } = meddle;
        if (push === undefined) return link;
        return {
          ...link,
          get pushes() {
            return link.pushes.map(push);
          },
        };
      },
    },
  };
}

function subjectOf(jwt: string): string {
  const { sub } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
  return sub;
}

function faultsOf({ operation, headers, body, faults }: Answer): readonly string[] {
  if (operation === 'postMeasurements' || operation === 'retrieveArtifact') return faults;
  const named = Object.entries(headers).map(([name, value]) => [
    name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
    String(value),
  ]);
  return natsReplyFaults(operation, Object.fromEntries(named) as Record<string, string>, body ?? null);
}
