import type { OutputEvent, ProgressEvent, StatusEvent, StepEvent } from '../../progress.ts';
import { humanSize } from '../output/human.ts';
import { type OutputLine, type ShownStep, ShownSteps } from './build-steps.ts';
import { plainLine } from './plain.ts';
import { printWarning, type Renderer, type Screen } from './screen.ts';

/**
 * A line an event, as BuildKit prints where there is no terminal: `#5 [2/4] RUN make`, `#5 0.123 text`, `#5 DONE 0.3s`.
 * Where several builds are under way, the label begins with the build's task.
 */
export function plainBuildRenderer(screen: Screen, now: () => number = () => performance.now()): Renderer {
  const printer = new PlainPrinter(screen, now);
  return { emit: (event) => printer.emit(event), close: () => {} };
}

class PlainPrinter {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #steps = new ShownSteps();
  #current: ShownStep | undefined;

  constructor(screen: Screen, now: () => number) {
    this.#screen = screen;
    this.#now = now;
  }

  emit(event: ProgressEvent): void {
    switch (event.type) {
      case 'step':
        this.#step(event);
        break;
      case 'output':
        this.#output(event);
        break;
      case 'status':
        this.#status(event);
        break;
      default: {
        const line = plainLine(event);
        if (line !== undefined) this.#screen.write(`${line}\n`);
        else printWarning(event, this.#screen);
      }
    }
  }

  #step(event: StepEvent): void {
    const step = this.#steps.note(event, this.#now());
    if (event.state === 'started') {
      this.#switchTo(step);
      this.#lines(step, event.reason === undefined ? [] : [`cache miss: ${event.reason}`]);
      return;
    }
    this.#printed(step, step.flush(this.#now()));
    this.#lines(step, [ending(step, this.#now())]);
    this.#screen.write('\n');
    this.#current = undefined;
  }

  #output(event: OutputEvent): void {
    const step = this.#steps.get(event.stepId);
    if (step !== undefined) this.#printed(step, step.take(event, this.#now()));
  }

  #status(event: StatusEvent): void {
    const step = this.#steps.get(event.stepId);
    if (step !== undefined && event.isDone) this.#lines(step, [`${stepStatusText(event)} done`]);
  }

  #printed(step: ShownStep, lines: readonly OutputLine[]): void {
    this.#lines(
      step,
      lines.map(({ text, seconds }) => `${seconds.toFixed(3)} ${text}`),
    );
  }

  /** One write for all, since a step may print a lot. */
  #lines(step: ShownStep, lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#switchTo(step);
    this.#screen.write(lines.map((line) => `#${step.number} ${line}\n`).join(''));
  }

  #switchTo(step: ShownStep): void {
    if (this.#current === step) return;
    if (this.#current !== undefined) this.#screen.write(`#${this.#current.number} ...\n\n`);
    this.#current = step;
    const task = this.#steps.tasks.length > 1 ? `${step.task}: ` : '';
    this.#screen.write(`#${step.number} ${task}${step.label}\n`);
  }
}

function ending(step: ShownStep, now: number): string {
  switch (step.state) {
    case 'cached':
      return 'CACHED';
    case 'failed':
      return `ERROR: ${step.reason ?? 'failed'}`;
    case 'cancelled':
      return 'CANCELED';
    default:
      return `DONE ${step.seconds(now).toFixed(1)}s`;
  }
}

/** What a status says on one line, without whether it is done. */
export function stepStatusText({ name, bytes, totalBytes }: StatusEvent): string {
  if (bytes === undefined) return name;
  return totalBytes === undefined
    ? `${name} ${humanSize(bytes)}`
    : `${name} ${humanSize(bytes)} / ${humanSize(totalBytes)}`;
}
