/** Every case that checks an orchestrator. */
import type { OrchestratorCase } from '../stage.ts';
import { artifactCases } from './artifact-cases.ts';
import { certificateCases } from './certificate-cases.ts';
import { diagnosticsCases } from './diagnostics-cases.ts';
import { enrolmentCases } from './enrolment-cases.ts';
import { envelopeCases } from './envelope-cases.ts';
import { identityCases } from './identity-cases.ts';
import { monitoringCases } from './monitoring-cases.ts';
import { natsCases } from './nats-cases.ts';
import { reportCases } from './report-cases.ts';
import { sealingCases } from './sealing-cases.ts';
import { sessionCases } from './session-cases.ts';
import { upgradeCases } from './upgrade-cases.ts';
import { wantedCases } from './wanted-cases.ts';

export const ORCHESTRATOR_CASES: readonly OrchestratorCase[] = [
  ...envelopeCases,
  ...enrolmentCases,
  ...sessionCases,
  ...identityCases,
  ...certificateCases,
  ...wantedCases,
  ...reportCases,
  ...artifactCases,
  ...sealingCases,
  ...monitoringCases,
  ...diagnosticsCases,
  ...upgradeCases,
  ...natsCases,
];
