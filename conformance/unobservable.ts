import type { Side } from './case.ts';

/** Why a requirement does not show on the wire, and how else it is shown. */
export interface Unobservable {
  readonly id: string;
  readonly sides: readonly Side[];
  readonly why: string;
  readonly otherwise: string;
}

const ORCHESTRATOR: readonly Side[] = ['orchestrator'];
const AGENT: readonly Side[] = ['agent'];

/** What no case can show, however it is played: never reported as passed. */
export const UNOBSERVABLE: readonly Unobservable[] = [
  {
    id: 'MCO-C-002',
    sides: AGENT,
    why: 'the kit is on a loopback address',
    otherwise: 'start the agent with an http URL of another address: it has to refuse',
  },
  {
    id: 'MCO-C-003',
    sides: ORCHESTRATOR,
    why: 'it is decided when the orchestrator starts, before anybody can speak to it',
    otherwise: 'start it without TLS on an address that is not loopback: it has to refuse',
  },
  {
    id: 'MCO-C-024',
    sides: ORCHESTRATOR,
    why: 'it says what is in the store',
    otherwise: 'search the store for a token that was issued',
  },
  {
    id: 'MCO-C-025',
    sides: AGENT,
    why: 'it says what is on the disk of the host',
    otherwise: 'look at the owner and mode of the file of the key',
  },
  {
    id: 'MCO-C-028',
    sides: AGENT,
    why: 'a second agent that does not start sends nothing',
    otherwise: 'start a second agent over the same data directory: it has to refuse',
  },
  {
    id: 'MCO-O-032',
    sides: ORCHESTRATOR,
    why: 'what an orchestrator believes of a workload is told to operators, and to no agent',
    otherwise: 'report in full without a workload, and look for it in the northbound interface',
  },
  {
    id: 'MCO-O-034',
    sides: ORCHESTRATOR,
    why: 'it says what is written into the store',
    otherwise: 'count the commits of the store while the same report comes',
  },
  {
    id: 'MCO-O-038',
    sides: ORCHESTRATOR,
    why: 'what an orchestrator believes of a workload is told to operators, and to no agent',
    otherwise: 'take a function away from a silent host, and look for it in the northbound interface',
  },
  {
    id: 'MCO-O-043',
    sides: ORCHESTRATOR,
    why: 'when a host is judged is told to operators, and to no agent',
    otherwise: 'start the orchestrator anew while hosts are silent, and look at their states',
  },
  {
    id: 'MCO-O-044',
    sides: ORCHESTRATOR,
    why: 'it says what is written into the store',
    otherwise: 'count the commits of the store while questions come',
  },
  {
    id: 'MCO-O-045',
    sides: ORCHESTRATOR,
    why: 'it is about where functions of many hosts are placed',
    otherwise: 'silence three hosts of a zone of nine at once: nothing of them may be placed elsewhere',
  },
  {
    id: 'MCO-O-046',
    sides: AGENT,
    why: 'which clock a lease is counted on does not show on the wire',
    otherwise:
      'suspend the machine for longer than the patience of a single writer: it has to be stopped on waking',
  },
  {
    id: 'MCO-O-048',
    sides: ['agent', 'orchestrator'],
    why: 'it is of two hosts and the orchestrator together',
    otherwise: 'let a single writer keep a journal, cut its host off, and compare the journals of both hosts',
  },
  {
    id: 'MCO-O-051',
    sides: AGENT,
    why: 'it needs a reboot of the host',
    otherwise: 'reboot the host while the orchestrator is away, and look at what runs',
  },
  {
    id: 'MCO-O-064',
    sides: AGENT,
    why: 'it says what is on the disk of the host',
    otherwise: 'assign files beyond the bound one after the other, and look at the disk',
  },
  {
    id: 'MCO-O-093',
    sides: AGENT,
    why: 'it says what is on the disk of the host',
    otherwise: 'upgrade the agent three times, and look at the files that are kept',
  },
  {
    id: 'MCO-M-004',
    sides: AGENT,
    why: 'the bound of a queue is up to the agent, and filling it takes too long',
    otherwise:
      'give the agent a small bound, keep the orchestrator away, and look at `dropped` on its return',
  },
  {
    id: 'MCO-M-008',
    sides: ORCHESTRATOR,
    why: 'what is stored is told to operators, and to no agent',
    otherwise:
      'send a measurement with a time of tomorrow, and look at the newest one in the northbound interface',
  },
  {
    id: 'MCO-M-010',
    sides: ORCHESTRATOR,
    why: 'alarms are told to operators, and to no agent',
    otherwise: 'raise an alarm twice, and count it in the northbound interface',
  },
  {
    id: 'MCO-M-012',
    sides: ORCHESTRATOR,
    why: 'the alarms that are kept are told to operators, and to no agent',
    otherwise: 'raise alarms without end, and count them in the northbound interface',
  },
  {
    id: 'MCO-M-013',
    sides: ORCHESTRATOR,
    why: 'alarms are told to operators, and to no agent',
    otherwise: 'silence a host until it is LOST, and look at the alarms',
  },
  {
    id: 'MCO-M-014',
    sides: AGENT,
    why: 'it says what is on the disk of the host after a kill at any instant',
    otherwise: 'kill the writer of the queue again and again, and read the queue',
  },
];
