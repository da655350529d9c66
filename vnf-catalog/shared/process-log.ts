/** One event per line of JSON on stderr, in the shape that pino writes; without pino's memory, which each of many small functions would pay for. */
export interface ProcessLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export function createProcessLog(component: string, instance: string): ProcessLog {
  const write = (level: number, fields: Readonly<Record<string, unknown>>, message: string): void => {
    const line = { level, time: new Date().toISOString(), component, instance, ...fields, msg: message };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  };
  return {
    info: (fields, message) => write(30, fields, message),
    warn: (fields, message) => write(40, fields, message),
    error: (fields, message) => write(50, fields, message),
  };
}
