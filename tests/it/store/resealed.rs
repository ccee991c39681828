//! What is sealed anew takes the place of what was there, and of nothing else.

use super::*;

hold!(
    what_is_sealed_anew_takes_the_place_of_those_bytes_alone_and_a_repeat_does_nothing,
    a_writer_whose_lease_was_overtaken_reseals_nothing,
    what_has_ended_is_not_sealed_again,
);

mod kept {
    use super::*;

    async fn growing(store: &dyn Store, lease: &Lease) -> Growing {
        let mut growing = Growing::new("r1", TARGET);
        growing
            .add_all(store, lease, &[opened("AKIAOLD"), intended(), created()])
            .await;
        growing
    }

    async fn waits(store: &dyn Store) -> Vec<Vec<u8>> {
        let all = store.all_sealed().await.expect("it can be read");
        all.into_iter().map(|sealed| sealed.bytes).collect()
    }

    pub(super) async fn what_is_sealed_anew_takes_the_place_of_those_bytes_alone_and_a_repeat_does_nothing(
        one: &dyn Store,
        other: &dyn Store,
    ) {
        let lease = one.lease().await.expect("nobody else has it");
        growing(one, &lease).await;
        let head = one.head().await.expect("it can be read");
        let all = one.all_sealed().await.expect("it can be read");
        let [sealed] = all.as_slice() else {
            panic!("{} wait", all.len());
        };
        for bytes in [&b"anew"[..], b"anew", b"from what is not there any more"] {
            one.reseal(&lease, sealed, bytes).await.expect("it is ours");
            assert_eq!(waits(other).await, [b"anew".to_vec()]);
        }
        assert_eq!(
            one.head().await.expect("it can be read"),
            head,
            "the journal says nothing else"
        );
        other.verify().await.expect("it is intact");
    }

    pub(super) async fn a_writer_whose_lease_was_overtaken_reseals_nothing(one: &dyn Store, other: &dyn Store) {
        let mut late = one.lease().await.expect("nobody else has it");
        growing(one, &late).await;
        let all = one.all_sealed().await.expect("it can be read");
        late.fence -= 1;
        let refused = one.reseal(&late, &all[0], b"anew").await;
        assert!(matches!(refused, Err(StoreError::Race)), "{refused:?}");
        assert_eq!(waits(other).await, [b"sealed".to_vec()]);
    }

    pub(super) async fn what_has_ended_is_not_sealed_again(one: &dyn Store, other: &dyn Store) {
        let lease = one.lease().await.expect("nobody else has it");
        let mut growing = growing(one, &lease).await;
        let all = one.all_sealed().await.expect("it can be read");
        growing.add_all(one, &lease, &to_the_end()).await;
        one.reseal(&lease, &all[0], b"anew").await.expect("it is ours");
        assert!(waits(other).await.is_empty());
    }
}
