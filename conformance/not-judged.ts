import type { Side } from './case.ts';

/** Why a requirement that shows on the wire is not judged by this kit, and how else it is shown. */
export interface NotJudgedYet {
  readonly id: string;
  readonly sides: readonly Side[];
  readonly why: string;
  readonly otherwise: string;
}

const ORCHESTRATOR: readonly Side[] = ['orchestrator'];
const AGENT: readonly Side[] = ['agent'];

/** The kit shows no certificate, and issues none. */
const CERTIFICATES = 'the kit does not speak mutual TLS';
const PROGRAM = 'the kit has no program of the agent under test to upgrade it to';
const WAVES =
  'the kit does not know how administrators of the orchestrator under test begin an upgrade of agents';
const DIAGNOSTICS = 'the kit switches no diagnostics on, and asks for none';

/** What a case could show and none does: reported as not applicable, and never as passed. */
export const NOT_JUDGED_YET: readonly NotJudgedYet[] = [
  {
    id: 'MCO-C-060',
    sides: ORCHESTRATOR,
    why: CERTIFICATES,
    otherwise: 'enrol a host, and open a session with its certificate alone',
  },
  {
    id: 'MCO-C-061',
    sides: AGENT,
    why: CERTIFICATES,
    otherwise: 'issue the agent a certificate of some minutes, and see when it asks for the next one',
  },
  {
    id: 'MCO-C-062',
    sides: ORCHESTRATOR,
    why: CERTIFICATES,
    otherwise: 'revoke a host, and show its certificate again',
  },
  {
    id: 'MCO-C-063',
    sides: ORCHESTRATOR,
    why: CERTIFICATES,
    otherwise:
      'revoke a host while a question of it waits: its connections have to end, and its key is not enrolled again',
  },
  {
    id: 'MCO-C-064',
    sides: ORCHESTRATOR,
    why: CERTIFICATES,
    otherwise: 'use the token of a session that was opened with a certificate on a connection without one',
  },
  {
    id: 'MCO-C-065',
    sides: AGENT,
    why: CERTIFICATES,
    otherwise: 'refuse the certificate of the agent: its next request for a session has to carry a proof',
  },
  {
    id: 'MCO-O-081',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'order a newer program of the agent, and one that ends at once',
  },
  {
    id: 'MCO-O-082',
    sides: ORCHESTRATOR,
    why: WAVES,
    otherwise:
      'upgrade three hosts one by one, of which the second answers ROLLED_BACK: the third gets no order',
  },
  {
    id: 'MCO-O-089',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'look at agentUpgrade of the facts',
  },
  {
    id: 'MCO-O-090',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'compare the process ids of functions before and after an upgrade',
  },
  {
    id: 'MCO-O-091',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'order a program with another digest, and one with another version than it says',
  },
  {
    id: 'MCO-O-092',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'order a program that hangs, and kill the agent while it is tried',
  },
  {
    id: 'MCO-O-093',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'upgrade three times, and look at the files that are kept',
  },
  {
    id: 'MCO-O-094',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'answer a version on trial with 503 only: it has to give way',
  },
  {
    id: 'MCO-O-095',
    sides: AGENT,
    why: PROGRAM,
    otherwise: 'leave an order in the wanted state after its program has failed',
  },
  {
    id: 'MCO-O-096',
    sides: ORCHESTRATOR,
    why: WAVES,
    otherwise: 'kill the orchestrator in the middle of an upgrade',
  },
  {
    id: 'MCO-O-097',
    sides: ORCHESTRATOR,
    why: WAVES,
    otherwise: 'upgrade hosts of which one is away, and let it come back',
  },
  {
    id: 'MCO-O-098',
    sides: ORCHESTRATOR,
    why: WAVES,
    otherwise: 'state facts with possible false, or without agentUpgrade',
  },
  {
    id: 'MCO-O-099',
    sides: ORCHESTRATOR,
    why: WAVES,
    otherwise: 'ask for the digest of a program without an order for it',
  },
  {
    id: 'MCO-D-004',
    sides: ORCHESTRATOR,
    why: DIAGNOSTICS,
    otherwise: 'run a command beside a function of a silent host, and look at the audit log',
  },
  {
    id: 'MCO-D-006',
    sides: ORCHESTRATOR,
    why: DIAGNOSTICS,
    otherwise: 'ask for the output of a copy, go away, and look at the next two wanted states',
  },
  {
    id: 'MCO-D-007',
    sides: ORCHESTRATOR,
    why: DIAGNOSTICS,
    otherwise: 'send a chunk twice, and one after a gap',
  },
  {
    id: 'MCO-D-008',
    sides: ORCHESTRATOR,
    why: DIAGNOSTICS,
    otherwise: 'send a chunk of a stream of another host, and one of a stream that has ended',
  },
  {
    id: 'MCO-D-014',
    sides: ORCHESTRATOR,
    why: DIAGNOSTICS,
    otherwise: 'ask for more streams than there may be; go away from one; switch diagnostics off',
  },
];
