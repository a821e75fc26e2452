import type { ProgressEvent } from '../../progress.ts';
import { stepStatusText } from './build-plain.ts';
import { type ShownStep, ShownSteps } from './build-steps.ts';
import { plainLine } from './plain.ts';
import { printWarning, type Renderer, type Screen } from './screen.ts';

const FRAME_MS = 100;
const BLUE = '\x1b[34m';
const RED = '\x1b[31m';
const YELLOW = '\x1b[33m';
const RESET = '\x1b[0m';
/** At least this much of the terminal's height stays free. */
const FREE_ROWS = 3;

/**
 * The whole build on one screen, redrawn in place ten times a second as BuildKit does: a line a step with its time,
 * and the last lines that a running step has printed. What does not fit the height is left out, the oldest first. Each
 * of several builds at once has its own head and its steps below it.
 */
export function terminalBuildRenderer(screen: Screen & { readonly rows?: number | undefined }): Renderer {
  const steps = new ShownSteps();
  const startedAt = performance.now();
  let drawn = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const draw = () => {
    const now = performance.now();
    const all = steps.all();
    const { tasks } = steps;
    const room = Math.max((screen.rows ?? 24) - FREE_ROWS, 5) / tasks.length;
    const shown = tasks.flatMap((task) => {
      const own = all.filter((step) => step.task === task);
      const name = tasks.length > 1 ? ` ${task}` : '';
      const lines = own.flatMap((step) => stepLines(step, now, screen));
      return [
        headLine(own, name, { seconds: (now - startedAt) / 1000, isClosed }),
        ...(isClosed ? lines : lines.slice(-Math.max(Math.floor(room), 1))),
      ];
    });
    const up = drawn > 0 ? `\x1b[${drawn}A` : '';
    screen.write(`${up}${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    drawn = shown.length;
  };
  const schedule = () => {
    timer ??= setInterval(draw, FRAME_MS);
  };
  const printAbove = (event: ProgressEvent) => {
    const line = plainLine(event);
    if (line === undefined && event.type !== 'message') return;
    if (drawn > 0) screen.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
    if (line === undefined) printWarning(event, screen);
    else screen.write(`${line}\n`);
  };
  return {
    emit: (event) => {
      const now = performance.now();
      if (event.type === 'step') {
        const step = steps.note(event, now);
        if (event.state !== 'started') step.flush(now);
      } else if (event.type === 'output') steps.get(event.stepId)?.take(event, now);
      else if (event.type === 'status') steps.get(event.stepId)?.statuses.set(event.name, event);
      else return printAbove(event);
      schedule();
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      if (timer === undefined) return;
      clearInterval(timer);
      draw();
    },
  };
}

function headLine(
  steps: readonly ShownStep[],
  name: string,
  { seconds, isClosed }: { readonly seconds: number; readonly isClosed: boolean },
): string {
  const ended = steps.filter(({ state }) => state !== 'started').length;
  const isDone = isClosed && ended === steps.length;
  return `[+] Building${name} ${seconds.toFixed(1)}s (${ended}/${steps.length})${isDone ? ' FINISHED' : ''}`;
}

const STATE_WORDS: Readonly<Record<ShownStep['state'], string>> = {
  started: '',
  cached: 'CACHED ',
  done: '',
  failed: 'ERROR ',
  cancelled: 'CANCELED ',
};

function stepLines(step: ShownStep, now: number, screen: Screen): string[] {
  const time = `${step.seconds(now).toFixed(1)}s`;
  const head = row(` => ${STATE_WORDS[step.state]}${step.label}`, time, screen.columns);
  const isRunning = step.state === 'started';
  const statuses = [...step.statuses.values()].filter(({ isDone }) => isRunning || isDone);
  const lines = [
    colour(head, step, screen),
    ...statuses.map((status) => row(` => => ${stepStatusText(status)}`, '', screen.columns)),
  ];
  if (!isRunning) return lines;
  return [
    ...lines,
    ...step.lastLines.map(({ text }) => row(` => => # ${visible(text)}`, '', screen.columns)),
  ];
}

function row(text: string, time: string, columns: number): string {
  const room = Math.max(columns - time.length - 2, 10);
  return `${text.slice(0, room).padEnd(time === '' ? 0 : room)} ${time}`.trimEnd();
}

/** A step's output must not move the cursor: the frame would be torn. */
function visible(text: string): string {
  const last = text.slice(text.lastIndexOf('\r') + 1);
  return last
    .replaceAll(/\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f]/g, '')
    .replaceAll('\t', '    ');
}

function colour(text: string, { state }: ShownStep, { colours }: Screen): string {
  if (!colours || state === 'started') return text;
  const code = state === 'failed' ? RED : state === 'cancelled' ? YELLOW : BLUE;
  return `${code}${text}${RESET}`;
}
