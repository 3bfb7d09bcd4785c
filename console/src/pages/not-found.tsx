import { Link } from 'react-router';
import { Empty } from '../parts/states.js';

export function NotFoundPage() {
  return (
    <Empty title="There is no such page">
      <Link to="/">To the agents</Link>
    </Empty>
  );
}
