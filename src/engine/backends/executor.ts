/** What runs transitions on a linear memory that it was made with. */
export interface Executor {
  /** At most `budget` transitions; returns how many were made. Why it stopped early is in the state block. */
  run(budget: number): number;
  /** Forget what is cached of guest memory and the state block, which were changed from outside. */
  flush(): void;
}
