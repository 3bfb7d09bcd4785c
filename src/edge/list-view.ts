/** A page of anything, as it goes out. */
export interface ListView<View> {
  readonly items: readonly View[];
  /** What to ask for next (`cursor`), when there is more. */
  readonly nextCursor?: string;
}

export function toListView<Item, View>(
  { items, nextCursor }: { items: readonly Item[]; nextCursor?: string },
  toView: (item: Item) => View,
): ListView<View> {
  return { items: items.map(toView), nextCursor };
}
