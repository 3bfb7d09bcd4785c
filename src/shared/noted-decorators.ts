type Decorating = (...target: never[]) => void;
type DecoratorName<Library> = {
  [Name in keyof Library]: Library[Name] extends (...args: never[]) => Decorating ? Name : never;
}[keyof Library];

/**
 * Decorators of a library that is large, and needed later than its decorators: they are noted, and applied in the same order
 * once the library is there.
 */
export class NotedDecorators<Library> {
  private readonly noted: ((library: Library) => void)[] = [];

  /** Stands in for the library's own decorator of that name. */
  of<Name extends DecoratorName<Library>>(name: Name): Library[Name] {
    const factory =
      (...args: never[]): Decorating =>
      (...target) => {
        this.noted.push((library) => (library[name] as (...given: never[]) => Decorating)(...args)(...target));
      };
    return factory as Library[Name];
  }

  /** Applies what was noted since the last time. */
  apply(library: Library): void {
    for (const apply of this.noted.splice(0)) apply(library);
  }
}
