import { pino, type Logger } from 'pino';

export type { Logger };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * One event per line of JSON on stderr: a static message and fields (`tenant`, `vnfInstanceId`, `lcmOpOccId`, `hostId`).
 * Fields whose names say that they are secret are never written.
 */
export function createLogger(component: string, level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          'token',
          '*.token',
          'secret',
          '*.secret',
          'authorization',
          '*.authorization',
          'seed',
          '*.seed',
        ],
        remove: true,
      },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** For tests and for code that is called without a logger. */
export const silentLogger: Logger = pino({ level: 'silent' });
