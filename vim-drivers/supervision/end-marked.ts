/** In the environment of everything that a command beside a program starts, where the platform itself ends no such command. */
export const COMMAND_MARK = 'IOTMANO_EXEC';

/**
 * The command that kills all processes of a container that have the mark, until none has. It needs `sh`, `tr` and `grep` there.
 * @param mark `IOTMANO_EXEC=` and the name of the command beside the program
 */
export function endMarked(mark: string): readonly string[] {
  return ['sh', '-c', KILL, 'sh', mark];
}

const KILL = `again=1
while [ "$again" = 1 ]; do
  again=0
  for process in /proc/[0-9]*; do
    tr '\\0' '\\n' <"$process/environ" 2>/dev/null | grep -qxF "$1" && kill -9 "\${process#/proc/}" && again=1
  done
done`;
