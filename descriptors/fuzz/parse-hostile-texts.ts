/** Parses every hostile text once and writes what processor time it took, as JSON lines; run in a process of its own with a bounded heap. */
import { parseDescriptor } from '../index.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

parseDescriptor('apiVersion: iotmano/v1\nkind: IoTFunctionDescriptor\n', { file: 'warm-up' });
for (const [name, make] of Object.entries(HOSTILE_TEXTS)) {
  const text = make();
  const before = process.threadCpuUsage();
  const { faults } = parseDescriptor(text, { file: 'hostile.yaml' });
  const { user, system } = process.threadCpuUsage(before);
  const milliseconds = (user + system) / 1000;
  process.stdout.write(
    `${JSON.stringify({ name, milliseconds, faults: faults.length, rule: faults[0]?.rule })}\n`,
  );
}
