/** The map of a sweep of a real kernel, made while it is swept: what islands draw of a sweep of a design they draw of it too. */
import { NOTHING, pack, type SweepMap, stretchesOf } from '../map.ts';
import { type KernelSweepAsked, type SweptCells, scheduleName } from './kernel-sweep.ts';

export class KernelMapMaker {
  readonly #asked: KernelSweepAsked;
  readonly #last: number;
  readonly #names: string[] = [];
  /** By boundary. */
  readonly #cells: SweptCells[] = [];

  /** @param last boundaries of the way without the swept events */
  constructor(asked: KernelSweepAsked, last: number) {
    this.#asked = asked;
    this.#last = last;
  }

  add(cells: SweptCells): void {
    this.#cells[cells.boundary] = cells;
    this.#names[cells.boundary] = cells.at.replace(/[+#].*$/, '');
  }

  /** What has been taken in so far. A map of pairs is of the first schedule of two. */
  get map(): SweepMap {
    const { schedules, user } = this.#asked;
    const pair = schedules.find(({ length }) => length > 1);
    const rows = pair ? Array.from(this.#cells, (cells) => cells?.second[scheduleName(pair)] ?? '') : [];
    const strips = schedules.map((schedule) => ({
      event: schedule[0] ?? '',
      cells: pack(
        Array.from(this.#cells, (cells) => cells?.alone[scheduleName(schedule)] ?? NOTHING).join(''),
      ),
    }));
    return {
      start: user ? 'user' : 'kernel',
      body: '',
      given: [0],
      last: this.#last,
      stretches: stretchesOf(Array.from(this.#names, (name) => name ?? this.#names[1] ?? '')),
      strips,
      pair: pair && [pair[0] ?? '', pair[1] ?? ''],
      rows: rows.map((row) => pack(row)),
      columns: rows.reduce((most, { length }) => Math.max(most, length), 0),
    };
  }
}
