/** Every case that checks an orchestrator. */
import type { OrchestratorCase } from '../stage.ts';
import { artifactCases } from './artifact-cases.ts';
import { certificateCases } from './certificate-cases.ts';
import { diagnosticsCases } from './diagnostics-cases.ts';
import { enrolmentCases } from './enrolment-cases.ts';
import { envelopeCases } from './envelope-cases.ts';
import { identityCases } from './identity-cases.ts';
import { monitoringCases } from './monitoring-cases.ts';
import { natsAccessCases } from './nats-access-cases.ts';
import { natsMeasurementCases } from './nats-measurement-cases.ts';
import { natsMessageCases } from './nats-message-cases.ts';
import { reportCases } from './report-cases.ts';
import { revocationCases } from './revocation-cases.ts';
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
  ...revocationCases,
  ...wantedCases,
  ...reportCases,
  ...artifactCases,
  ...sealingCases,
  ...monitoringCases,
  ...diagnosticsCases,
  ...upgradeCases,
  ...natsMessageCases,
  ...natsAccessCases,
  ...natsMeasurementCases,
];
