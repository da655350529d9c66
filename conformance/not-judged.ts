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
const BOTH: readonly Side[] = ['agent', 'orchestrator'];

/** The kit shows no certificate, and issues none. */
const CERTIFICATES = 'the kit does not speak mutual TLS';
/** The kit has neither a server of NATS nor a client of one. */
const NATS = 'the kit does not speak the binding to NATS';

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
    id: 'MCO-C-070',
    sides: BOTH,
    why: NATS,
    otherwise: 'compare the messages and headers of both bindings',
  },
  {
    id: 'MCO-C-071',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'subscribe as one host to the subjects of another one: the server has to refuse it',
  },
  {
    id: 'MCO-C-072',
    sides: BOTH,
    why: NATS,
    otherwise: 'compare the user that connects with the key that was enrolled',
  },
  {
    id: 'MCO-C-073',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'revoke a host that is connected: the server has to end the connection',
  },
  {
    id: 'MCO-C-074',
    sides: AGENT,
    why: NATS,
    otherwise: 'kill one server of a cluster of three while measurements are published, and count them',
  },
  {
    id: 'MCO-C-075',
    sides: BOTH,
    why: NATS,
    otherwise: 'keep one push from an agent: at the next one it has to ask',
  },
  {
    id: 'MCO-C-076',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'send a request with a reply subject of another host: nothing may come there',
  },
  {
    id: 'MCO-C-077',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'assign more than a message of NATS holds: a hint has to come, and parts when asked',
  },
  {
    id: 'MCO-C-078',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'revoke a host, let it enrol anew, and connect with the key that it has then',
  },
  {
    id: 'MCO-M-020',
    sides: AGENT,
    why: NATS,
    otherwise: 'read the message ids of the stream of measurements',
  },
  {
    id: 'MCO-M-021',
    sides: AGENT,
    why: NATS,
    otherwise:
      'acknowledge as the server and not as the orchestrator, restart the agent: measurements have to come again',
  },
  {
    id: 'MCO-M-023',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'kill the orchestrator after its receipt, start it, and look for what it acknowledged',
  },
  {
    id: 'MCO-M-024',
    sides: ORCHESTRATOR,
    why: NATS,
    otherwise: 'miss a receipt: the answer to the next heartbeat has to name it',
  },
];
