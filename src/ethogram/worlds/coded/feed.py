"""Feed: users who follow each other, and what they post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.media import ATTITUDES, EMOTIONS, Post, Publish, Read, Repost, Timeline, Wait
from ethogram.populations import Network, followers
from ethogram.seeds import generator
from ethogram.spaces import Typed, Verbs
from ethogram.world import Step, World, intervention

__all__ = ["Feed", "follow_graph"]


def follow_graph(users: int, follows: int, follow_back: float, seed: int) -> Network:
    """Who follows whom: an arc leads from a user to one it follows. The same graph for the same arguments."""
    return followers(users, follows, follow_back=follow_back, rng=seed)


class Feed(World):
    """A social network on which an event is talked about (Gao et al. 2023, "S3: social-network simulation system").

    Users follow others (a directed graph that grew by preferential attachment). In a round a user that is *aware* of the
    event (it has received a post, or was among the first to post) feels calm, moderate or intense, is negative or positive
    about it, and publishes, reposts something it received, or only reads; those who are not aware do nothing. A post is
    delivered to each follower of its author exactly once, in the round after: nothing said in a round is read in it.

    At the start everybody is calm and has the attitude of its `leanings` (drawn with the graph: a property of the
    users, not of the episode), and `sources` random users have just posted the opening, each in its own attitude.
    Reposting what one did not receive does nothing but report one's feeling. Outcome: shares `aware`, `positive` (aware
    and positive), `intense`, and `posts`, how many.

    Args:
        users: how many.
        follows: whom a newcomer follows.
        follow_back: probability that one who is followed follows back.
        graph: seed of the graph and of the leanings.
        sources: who posts before the first round.
        rounds: of an episode.
        opening: text of the first posts.

    Raises:
        ConfigError: an option is out of range.
    """

    metadata = {"name": "feed", "render_modes": []}
    time_unit = "round"
    state_fields = ("round", "emotions", "attitudes", "aware", "posts")

    def __init__(
        self,
        users: int = 20,
        follows: int = 3,
        follow_back: float = 0.3,
        graph: int = 0,
        sources: int = 2,
        rounds: int = 10,
        opening: str = "Have you heard what happened?",
    ) -> None:
        if not (users > follows >= 1 and 1 <= sources <= users and rounds >= 1):
            raise ConfigError(
                f"a feed needs more users than each follows, 1 to {users} sources and a round or more; "
                f"not follows={follows}, sources={sources}, rounds={rounds}"
            )
        self.network = follow_graph(users, follows, follow_back, graph)
        self._followers = self.network.reverse()
        self.leanings = generator(graph, "leanings").integers(0, 2, users).astype(np.int8)
        self.sources, self.rounds, self.opening = sources, rounds, opening
        self.expected_steps = rounds
        self.possible_agents = [f"user {i + 1}" for i in range(users)]
        self.agents = []
        self.observation_spaces = dict.fromkeys(self.possible_agents, Typed(Timeline))
        self.action_spaces = dict.fromkeys(self.possible_agents, Verbs(Publish, Repost, Read, Wait))

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Draw attitudes and sources; their posts are delivered in round 0."""
        super().reset(seed)
        assert self.rng is not None
        users = len(self.possible_agents)
        self.round = 0
        self.emotions = np.zeros(users, np.int8)
        self.attitudes = self.leanings.copy()
        self.aware = np.zeros(users, bool)
        self.posts: list[dict[str, Any]] = []
        sources = np.sort(self.rng.permutation(users)[: self.sources])
        self.aware[sources] = True
        for user in sources.tolist():
            self._post(user, self.opening, -1, -1)
        self._deliver()
        return self.observe(), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Step:
        """Take what the aware users feel and do, then deliver their posts."""
        live = list(self.agents)
        for user in np.flatnonzero(self.aware).tolist():
            action = actions.get(self.possible_agents[user])
            if action is None or isinstance(action, Wait):
                continue
            self.emotions[user] = EMOTIONS.index(action.emotion)
            self.attitudes[user] = ATTITUDES.index(action.attitude)
            if isinstance(action, Publish):
                self._post(user, action.text, -1, self.round)
            elif isinstance(action, Repost) and self._received(user, action.post):
                self._post(user, self.posts[action.post]["text"], action.post, self.round)
        self.round += 1
        self._deliver()
        seen, over = self.observe(), self.round >= self.rounds
        if over:
            self.agents = []
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in live}
        return seen, dict.fromkeys(live, 0.0), dict.fromkeys(live, False), dict.fromkeys(live, over), infos

    @property
    def acting(self) -> Sequence[str]:
        """Those who are aware."""
        return [self.possible_agents[user] for user in np.flatnonzero(self.aware).tolist()] if self.agents else []

    @property
    def now(self) -> float:
        """The round, from 0."""
        return float(self.round)

    def observe(self) -> dict[str, Timeline]:
        """The timelines of this round."""
        return {
            agent: Timeline(
                round=self.round,
                emotion=EMOTIONS[self.emotions[user]],
                attitude=ATTITUDES[self.attitudes[user]],
                posts=tuple(self._inbox.get(user, ())),
            )
            for user, agent in enumerate(self.possible_agents)
        }

    def outcome(self) -> dict[str, float]:
        """How far the event has come."""
        return {
            "aware": float(self.aware.mean()),
            "positive": float((self.aware & (self.attitudes == 1)).mean()),
            "intense": float((self.emotions == 2).mean()),
            "posts": float(len(self.posts)),
        }

    @intervention
    def announce(self, text: str, emotion: str = "calm", attitude: str = "positive", user: int = 1) -> None:
        """Let a user post something in this round, besides what it does itself; it is delivered with the next."""
        if emotion not in EMOTIONS or attitude not in ATTITUDES or not 1 <= user <= len(self.possible_agents):
            raise ConfigError(
                f"an announcement needs an emotion of {', '.join(EMOTIONS)}, an attitude of {', '.join(ATTITUDES)} and a "
                f"user from 1 to {len(self.possible_agents)}; not {emotion!r}, {attitude!r}, {user}"
            )
        self.posts.append(
            {
                "author": user - 1,
                "text": text[:280],
                "emotion": emotion,
                "attitude": attitude,
                "source": -1,
                "round": self.round,
            }
        )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state."""
        super().load_state_dict(state)
        self._fill()

    def _post(self, user: int, text: str, source: int, round: int) -> None:
        self.posts.append(
            {
                "author": user,
                "text": text,
                "emotion": EMOTIONS[self.emotions[user]],
                "attitude": ATTITUDES[self.attitudes[user]],
                "source": source,
                "round": round,
            }
        )

    def _received(self, user: int, post: int) -> bool:
        """Whether a post was delivered to the user."""
        if not 0 <= post < len(self.posts) or self.posts[post]["round"] >= self.round:
            return False
        return bool(np.isin(self.posts[post]["author"], self.network.neighbours(user)))

    def _deliver(self) -> None:
        """Make the timelines of the round from the posts of the last one; who receives one becomes aware."""
        self._fill()
        self.aware[list(self._inbox)] = True

    def _fill(self) -> None:
        """The posts of the last round by reader."""
        self._inbox: dict[int, list[Post]] = {}
        for number in range(len(self.posts) - 1, -1, -1):
            data = self.posts[number]
            if data["round"] < self.round - 1:
                break
            if data["round"] == self.round:  # an announcement, to be delivered with the next round
                continue
            shown = {key: data[key] for key in ("text", "emotion", "attitude", "source")}
            post = Post(id=number, author=self.possible_agents[data["author"]], **shown)
            for reader in self._followers.neighbours(data["author"]).tolist():
                self._inbox.setdefault(reader, []).append(post)
        for posts in self._inbox.values():
            posts.reverse()
