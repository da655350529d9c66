/** Every case that checks an agent; those that judge all that came are the last ones but for the leaving. */
import type { AgentCase } from '../stage.ts';
import { absenceCases } from './absence-cases.ts';
import { answerCases } from './answer-cases.ts';
import { artifactCases } from './artifact-cases.ts';
import { certificateCases } from './certificate-cases.ts';
import { conductCases } from './conduct-cases.ts';
import { diagnosticsCases } from './diagnostics-cases.ts';
import { leaveCases } from './leave-cases.ts';
import { monitoringCases } from './monitoring-cases.ts';
import { natsCases } from './nats-cases.ts';
import { reportCases } from './report-cases.ts';
import { scheduleCases } from './schedule-cases.ts';
import { sealingCases } from './sealing-cases.ts';
import { streamEndCases } from './stream-end-cases.ts';
import { upgradeCases } from './upgrade-cases.ts';
import { wantedCases } from './wanted-cases.ts';

export const AGENT_CASES: readonly AgentCase[] = [
  ...answerCases,
  ...wantedCases,
  ...reportCases,
  ...artifactCases,
  ...sealingCases,
  ...scheduleCases,
  ...monitoringCases,
  ...certificateCases,
  ...absenceCases,
  ...diagnosticsCases,
  ...streamEndCases,
  ...natsCases,
  ...conductCases,
  ...upgradeCases,
  ...leaveCases,
];
