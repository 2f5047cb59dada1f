"""Master recipes: who wrote, approved and retired them."""
