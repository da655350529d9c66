import { readFileSync } from 'node:fs';
import type { WrittenPolicy } from '../descriptors/index.ts';
import { messageOf } from '../kernel/index.ts';
import { CliFailure, EXIT } from './failure.ts';
import { faultLines } from './faults.ts';

/** @throws CliFailure with the faults of the file */
export async function readPolicyFile(file: string): Promise<WrittenPolicy> {
  const { readScalingPolicy } = await import('../descriptors/index.ts');
  const { policy, faults } = readScalingPolicy(readText(file), file);
  if (policy !== undefined) return policy;
  throw new CliFailure(EXIT.usage, `${file} is no scaling policy`, faultLines(faults));
}

/** @throws CliFailure where it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliFailure(EXIT.usage, `${file} cannot be read: ${messageOf(error)}`);
  }
}
