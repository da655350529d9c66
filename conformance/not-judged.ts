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
];
