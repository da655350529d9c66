import type { Received } from '../agent-kit/orchestrator-wire.ts';
import type { WireMeddle } from './meddled-wire.ts';

/** An agent that is right, over TLS, but for one thing. */
export interface BrokenTlsAgent {
  readonly requirement: string;
  readonly does: string;
  readonly make: () => WireMeddle;
}

function withoutMember(received: Received, name: string): Received {
  if (received.operation !== 'openSession') return received;
  const { [name]: _left, ...body } = received.body as Record<string, unknown>;
  return { ...received, body };
}

function hasProof({ operation, body }: Received): boolean {
  return operation === 'openSession' && (body as { readonly proof?: string }).proof !== undefined;
}

/** It makes no use of certificates: that breaks nothing. */
export const WITHOUT_CERTIFICATES: WireMeddle = {
  sent: (received) => ({ ...withoutMember(received, 'wantsCertificate'), certificate: undefined }),
};

export const BROKEN_TLS_AGENTS: readonly BrokenTlsAgent[] = [
  {
    requirement: 'MCO-C-061',
    does: 'never asks for the next certificate',
    make: () => ({ sent: (received) => withoutMember(received, 'wantsCertificate') }),
  },
  {
    requirement: 'MCO-C-061',
    does: 'asks for the next certificate once its own is not taken any more',
    make: () => ({
      sent: (received) => (hasProof(received) ? received : withoutMember(received, 'wantsCertificate')),
    }),
  },
  {
    requirement: 'MCO-C-065',
    does: 'knows no other way than its certificate',
    make: () => ({ isSwallowed: hasProof }),
  },
];
